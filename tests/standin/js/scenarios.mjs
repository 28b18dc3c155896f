// The scenarios of ../scenarios.py through @supabase/supabase-js, unpatched. Each prints one line: its name and outcome.
import { createClient } from "@supabase/supabase-js";

const { SUPABASE_URL: url, SUPABASE_PUBLISHABLE_KEY: key, SUPABASE_SECRET_KEY: secret } = process.env;
const PASSWORD = "correct horse";
const clients = [];

function client(apiKey = key) {
  const made = createClient(url, apiKey, { auth: { persistSession: false, autoRefreshToken: false } });
  clients.push(made);
  return made;
}

const address = () => `js-${Math.random().toString(36).slice(2)}@example.com`;

function sure({ data, error }) {
  if (error) throw error;
  return data;
}

async function signedUp() {
  const made = client(), email = address();
  const { user, session } = sure(await made.auth.signUp({ email, password: PASSWORD }));
  await made.realtime.setAuth(session.access_token);
  return { client: made, email, id: user.id, session };
}

async function mailTo(email) {
  const listed = await fetch(`${url}/outbox.json?to=${encodeURIComponent(email)}`);
  return (await listed.json())[0];
}

async function until(condition) {
  for (const end = Date.now() + 8000; !condition(); ) {
    if (Date.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function joined(channel) {
  return new Promise((resolve) => channel.subscribe((state, error) => resolve([state, String(error ?? "")])));
}

async function changes(who, what = {}) {
  const told = [], wanted = { event: "*", schema: "public", table: "scenario_rows", ...what };
  await new Promise((resolve) =>
    who.client
      .channel(`changes-${address()}`)
      .on("postgres_changes", wanted, (each) => told.push(each))
      .on("system", {}, ({ status }) => resolve(status))
      .subscribe(),
  );
  return told;
}

const scenarios = {
  async sign_up_and_in() {
    const ada = await signedUp();
    const again = sure(await client().auth.signInWithPassword({ email: ada.email, password: PASSWORD }));
    return { same: again.user.id === ada.id, role: again.user.role };
  },

  async wrong_password() {
    const ada = await signedUp();
    const { error } = await client().auth.signInWithPassword({ email: ada.email, password: "wrong" });
    return { code: error.code, status: error.status };
  },

  async refresh_and_reuse() {
    const ada = await signedUp();
    const first = ada.session.refresh_token;
    const second = sure(await ada.client.auth.refreshSession({ refresh_token: first })).session.refresh_token;
    const again = sure(await client().auth.refreshSession({ refresh_token: first })).session.refresh_token;
    return { rotated: first !== second, forgiven: again === second };
  },

  async verified_claims() {
    const ada = await signedUp();
    const { claims, header } = sure(await ada.client.auth.getClaims());
    return { alg: header.alg, same: claims.sub === ada.id, role: claims.role };
  },

  async sign_out_ends_it() {
    const ada = await signedUp();
    sure({ data: null, ...(await ada.client.auth.signOut()) });
    const { error } = await client().auth.getUser(ada.session.access_token);
    const isMissing = error.name === "AuthSessionMissingError"; // what this client makes of that code
    return { code: isMissing ? "session_not_found" : error.code };
  },

  async one_time_code() {
    const email = address(), made = client();
    sure(await made.auth.signInWithOtp({ email }));
    const { code } = await mailTo(email);
    const { user } = sure(await made.auth.verifyOtp({ email, token: code, type: "email" }));
    return { same: user.email === email };
  },

  async recovery_by_hash() {
    const ada = await signedUp();
    sure(await client().auth.resetPasswordForEmail(ada.email));
    const { token_hash } = await mailTo(ada.email);
    const { user } = sure(await client().auth.verifyOtp({ token_hash, type: "recovery" }));
    return { same: user.id === ada.id };
  },

  async anonymous() {
    const { user } = sure(await client().auth.signInAnonymously());
    return { anonymous: user.is_anonymous };
  },

  async administration() {
    const { admin } = client(secret).auth, email = address();
    const { user } = sure(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
    const listed = sure(await admin.listUsers({ page: 1, perPage: 1000 })).users.some((each) => each.id === user.id);
    sure(await admin.deleteUser(user.id));
    const { error } = await admin.getUserById(user.id);
    return { listed, gone: error.code };
  },

  async broadcast() {
    const ada = await signedUp(), grace = await signedUp(), heard = [], topic = `t-${address()}`;
    const hers = grace.client.channel(topic).on("broadcast", { event: "said" }, (each) => heard.push(each.payload));
    const mine = ada.client.channel(topic);
    await joined(hers);
    await joined(mine);
    await mine.send({ type: "broadcast", event: "said", payload: { text: "héllo 👋" } });
    await until(() => heard.length);
    return { heard };
  },

  async presence() {
    const ada = await signedUp(), grace = await signedUp(), topic = `t-${address()}`;
    const hers = grace.client.channel(topic, { config: { presence: { key: "grace" } } });
    const states = [];
    hers.on("presence", { event: "sync" }, () => states.push(Object.keys(hers.presenceState()).sort()));
    await joined(hers);
    const mine = ada.client.channel(topic, { config: { presence: { key: "ada" } } });
    await joined(mine);
    await mine.track({ name: "Ada" });
    await until(() => states.at(-1)?.includes("ada"));
    return { seen: states.at(-1) };
  },

  async private_channel() {
    const ada = await signedUp();
    const open = async (topic) => (await joined(ada.client.channel(topic, { config: { private: true } })))[0];
    return { own: await open(`scenario:${ada.id}`), other: await open("scenario:somebody") };
  },

  async changes_with_filter_and_policies() {
    const ada = await signedUp(), grace = await signedUp();
    const all = await changes(ada), some = await changes(ada, { filter: "number=gt.1" }), foreign = await changes(grace);
    sure(await ada.client.auth.updateUser({ data: { rows: 3 } })); // a trigger writes as many rows of hers
    await until(() => all.length === 3 && some.length === 2);
    sure(await grace.client.auth.updateUser({ data: { rows: 1 } }));
    await until(() => foreign.length);
    const numbers = (list) => list.map((each) => each.new.number);
    return { all: numbers(all), some: numbers(some), foreign: numbers(foreign), kind: all[0].eventType };
  },
};

Object.assign(scenarios, {
  async table_and_function() {
    const ada = await signedUp(), grace = await signedUp();
    const notes = () => ada.client.from("scenario_notes"), hers = () => grace.client.from("scenario_notes");
    const rows = [{ number: 1, text: "one" }, { number: 2, text: "two" }];
    const inserted = sure(await notes().insert(rows).select("number, text"));
    sure(await notes().insert({ number: 3 }));
    const page = await notes().select("n:number", { count: "exact" }).order("number", { ascending: false }).limit(1);
    const updated = sure(await notes().update({ text: "due" }).eq("number", 2).neq("text", "x").select("text"));
    const merged = sure(await notes().upsert({ number: 10, text: "ten" }, { onConflict: "owner,number" }).select("text"));
    const foreign = sure(await hers().update({ text: "mine" }).in("number", [1, 2]).select());
    const { error: refused } = await hers().insert({ number: 1, owner: ada.id });
    const { error: single } = await notes().select("number").single();
    const { error: taken } = await notes().insert({ number: 1 });
    const sum = sure(await ada.client.rpc("scenario_sum", { above: 2 }));
    const deleted = sure(await notes().delete().or("number.gt.2,and(number.eq.1,text.eq.one)").select()).length;
    return {
      inserted, page: sure(page), count: page.count, updated, merged, foreign,
      refused: refused.code, single: single.code, taken: taken.code, sum, deleted,
    };
  },

  async changes_written_by_the_client() {
    const ada = await signedUp(), notes = () => ada.client.from("scenario_notes");
    const told = await changes(ada, { table: "scenario_notes", filter: `owner=eq.${ada.id}` });
    sure(await notes().insert({ number: 1, text: "one" }));
    sure(await notes().update({ text: "two" }).eq("number", 1));
    sure(await notes().delete().eq("number", 1));
    await until(() => told.length === 3);
    return { heard: told.map((each) => [each.eventType, each.new.text ?? each.old.number]) };
  },

  async files() {
    const ada = await signedUp(), linus = await signedUp();
    const own = ada.client.storage.from("scenario-files"), path = `${ada.id}/folder/héllo.txt`;
    sure(await own.upload(path, new Blob(["one"]), { contentType: "text/plain", metadata: { colour: "red" } }));
    const { error: taken } = await own.upload(path, new Blob(["two"]));
    sure(await own.upload(path, new Blob(["three"]), { upsert: true, contentType: "text/plain" }));
    const content = await sure(await own.download(path)).text();
    const { signedUrl } = sure(await own.createSignedUrl(path, 60));
    const signed = await (await fetch(signedUrl)).text();
    const upload = sure(await own.createSignedUploadUrl(`${ada.id}/signed.txt`));
    sure(await client().storage.from("scenario-files").uploadToSignedUrl(upload.path, upload.token, new Blob(["four"])));
    sure(await own.move(`${ada.id}/signed.txt`, `${ada.id}/moved.txt`));
    sure(await own.copy(`${ada.id}/moved.txt`, `${ada.id}/copied.txt`));
    const listed = sure(await own.list(ada.id)).map((each) => [each.name, each.id === null]);
    const { error: foreign } = await linus.client.storage.from("scenario-files").download(path);
    const removed = sure(await own.remove([path])).length;
    const { data: there } = await own.exists(path);
    const size = sure(await own.info(`${ada.id}/moved.txt`)).size;
    return { taken: taken.statusCode, content, signed, listed, foreign: foreign !== null, removed, there, size };
  },
});

for (const [name, run] of Object.entries(scenarios)) {
  try {
    console.log(JSON.stringify({ name, outcome: await run() }));
  } catch (error) {
    console.log(JSON.stringify({ name, error: String(error?.stack ?? error) }));
  }
}
await Promise.all(clients.map((each) => each.removeAllChannels()));
process.exit(0);
