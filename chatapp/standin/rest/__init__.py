"""The tables and functions of `public` over HTTP, as far as the clients' `table(…)` and `rpc(…)` need it."""
