// A server made with Fedify: one actor, "bob", which does what it is told and remembers what it got.
//
//   node peer.mjs PORT
//
// prints "ready" once it listens on 127.0.0.1:PORT. What the tests ask of it, all JSON:
//   POST /control/do     {"verb": "follow", ...}     -> {"id": the activity's or the post's id}
//   GET  /control/seen       activities whose signatures Fedify has verified, in order
//   GET  /control/followers  who follows bob
//   GET  /control/requests   what came to the inboxes, as it came, with Fedify's answer
// Everything else is Fedify's.
import http from "node:http";
import { Temporal } from "@js-temporal/polyfill";

globalThis.Temporal ??= Temporal;

const { createFederation, generateCryptoKeyPair, InProcessMessageQueue, MemoryKvStore, signRequest } =
  await import("@fedify/fedify");
const vocab = await import("@fedify/fedify/vocab");
const { Accept, Announce, Collection, Create, Delete, Endpoints, Follow, Like, Note, Person, PUBLIC_COLLECTION,
  Question, Reject, Tombstone, Undo, Update, Mention } = vocab;

const port = Number(process.argv[2]);
const origin = `http://127.0.0.1:${port}`;
const bob = new URL("/users/bob", origin);
const keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5")];
const seen = [];
const requests = [];
const followers = new Map();
const posts = new Map(); // id -> what it is made of
let count = 0;

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue({ pollInterval: { milliseconds: 50 } }),
  allowPrivateAddress: true,
});

federation
  .setActorDispatcher("/users/{identifier}", async (context, identifier) => {
    if (identifier !== "bob") return null;
    const pairs = await context.getActorKeyPairs(identifier);
    return new Person({
      id: context.getActorUri(identifier),
      preferredUsername: identifier,
      name: "Bob of Fedify",
      summary: "<p>A peer</p>",
      inbox: context.getInboxUri(identifier),
      outbox: context.getOutboxUri(identifier),
      followers: context.getFollowersUri(identifier),
      endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey,
    });
  })
  .setKeyPairsDispatcher((_context, identifier) => (identifier === "bob" ? keys : []));

federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({
  items: [...followers.values()],
}));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setObjectDispatcher(Note, "/posts/{id}", (_context, { id }) => {
  const post = posts.get(new URL(`/posts/${id}`, origin).href);
  return post && !post.deleted && !post.options ? noteOf(post) : null;
});
federation.setObjectDispatcher(Question, "/polls/{id}", (_context, { id }) => {
  const post = posts.get(new URL(`/polls/${id}`, origin).href);
  return post && !post.deleted && post.options ? noteOf(post) : null;
});

const remember = async (activity) => {
  seen.push(await activity.toJsonLd({ format: "compact" }));
};
federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Follow, async (context, follow) => {
    await remember(follow);
    const follower = await follow.getActor(context);
    followers.set(follower.id.href, { id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints });
    await context.sendActivity({ identifier: "bob" }, follower,
      new Accept({ id: fresh("accepts"), actor: bob, object: follow }));
  })
  .on(Undo, async (context, undo) => {
    await remember(undo);
    const inner = await undo.getObject(context);
    if (inner instanceof Follow) followers.delete(undo.actorId.href);
  })
  .on(Create, async (context, create) => {
    await remember(create);
    const note = await create.getObject(context);
    const poll = note instanceof Note && note.name && note.replyTargetId && posts.get(note.replyTargetId.href);
    if (!poll?.options) return;
    const option = poll.options.find((one) => one.name === note.name.toString());
    if (option) option.votes += 1;
    poll.voters = (poll.voters ?? 0) + 1;
  })
  .on(vocab.Activity, (_context, activity) => remember(activity));

function fresh(kind) {
  count += 1;
  return new URL(`/${kind}/${count}`, origin);
}

function noteOf(post) {
  const common = {
    id: new URL(post.id),
    attribution: bob,
    content: post.content,
    to: post.direct ? new URL(post.direct) : PUBLIC_COLLECTION,
    cc: post.direct ? undefined : new URL("/users/bob/followers", origin),
    published: Temporal.Instant.from(post.published),
    updated: post.updated ? Temporal.Instant.from(post.updated) : undefined,
    replyTarget: post.reply_to ? new URL(post.reply_to) : undefined,
    tags: (post.mentions ?? []).map((href) => new Mention({ href: new URL(href), name: href })),
  };
  if (!post.options) return new Note(common);
  return new Question({
    ...common,
    exclusiveOptions: post.options.map((option) => new Note({
      name: option.name,
      replies: new Collection({ totalItems: option.votes }),
    })),
    endTime: Temporal.Instant.from(post.ends),
    voters: post.voters ?? 0,
  });
}

// Sends an activity about a post to the followers and to whoever is named besides.
async function publish(context, activity, also = []) {
  const named = [];
  for (const id of also) {
    const actor = await context.lookupObject(id);
    if (actor) named.push(actor);
  }
  const everybody = new Map([...followers.values(), ...named].map((one) => [one.id.href, one]));
  await context.sendActivity({ identifier: "bob" }, [...everybody.values()], activity, { preferSharedInbox: true });
  return activity.id.href;
}

async function sendTo(context, target, activity) {
  const actor = await context.lookupObject(target);
  if (!actor) throw new Error(`nobody at ${target}`);
  await context.sendActivity({ identifier: "bob" }, actor, activity);
  return activity.id.href;
}

const whom = { to: PUBLIC_COLLECTION, cc: new URL("/users/bob/followers", origin) };
const about = (type, kind) => async (context, { object, target }) =>
  sendTo(context, target, new type({ id: fresh(kind), actor: bob, object: new URL(object), ...whom }));
const undoing = (type) => async (context, { id, object, target }) =>
  sendTo(context, target, new Undo({
    id: fresh("undos"), actor: bob,
    object: new type({ id: new URL(id), actor: bob, object: new URL(object) }),
  }));

const verbs = {
  follow: (context, { target }) =>
    sendTo(context, target, new Follow({ id: fresh("follows"), actor: bob, object: new URL(target) })),
  unfollow: (context, { id, target }) => undoing(Follow)(context, { id, object: target, target }),
  like: about(Like, "likes"),
  unlike: undoing(Like),
  boost: about(Announce, "boosts"),
  unboost: undoing(Announce),
  async post(context, { content, reply_to, mentions, options, direct, ends }) {
    const id = fresh(options ? "polls" : "posts").href;
    const post = { id, content, reply_to, mentions, direct, ends, published: Temporal.Now.instant().toString(),
      options: options?.map((name) => ({ name, votes: 0 })) };
    posts.set(id, post);
    await publish(context, new Create({ id: new URL(`${id}/create`), actor: bob, object: noteOf(post), ...whom }),
      [...(mentions ?? []), ...(direct ? [direct] : [])]);
    return id;
  },
  async edit(context, { id, content }) {
    const post = posts.get(id);
    Object.assign(post, { content: content ?? post.content, updated: Temporal.Now.instant().toString() });
    return publish(context, new Update({ id: fresh("updates"), actor: bob, object: noteOf(post), ...whom }));
  },
  // The votes that came: an Update without a new `updated`.
  count: (context, { id }) =>
    publish(context, new Update({ id: fresh("updates"), actor: bob, object: noteOf(posts.get(id)), ...whom })),
  async remove(context, { id }) {
    posts.get(id).deleted = true;
    return publish(context, new Delete({ id: new URL(`${id}/delete`), actor: bob,
      object: new Tombstone({ id: new URL(id) }), ...whom }));
  },
  async vote(context, { poll, option, target }) {
    const id = fresh("votes");
    return sendTo(context, target, new Create({ id: new URL(`${id.href}/create`), actor: bob, to: new URL(target),
      object: new Note({ id, attribution: bob, name: option, replyTarget: new URL(poll), to: new URL(target) }) }));
  },
  // Signs one body and sends another, or none of the changes: answers with the status.
  async forge(_context, { inbox, body, sent_body, spec }) {
    const request = new Request(inbox, {
      method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/activity+json" } });
    const signed = await signRequest(request, keys[0].privateKey, new URL(`${bob.href}#main-key`),
      { spec: spec ?? "draft-cavage-http-signatures-12" });
    const answer = await fetch(inbox, {
      method: "POST", headers: signed.headers, body: JSON.stringify(sent_body ?? body) });
    return { status: answer.status, text: await answer.text() };
  },
  // What is at an address, as Fedify reads it after checking.
  async lookup(context, { address }) {
    const found = await context.lookupObject(address);
    return found && (await found.toJsonLd({ format: "compact" }));
  },
};

async function control(path, body) {
  if (path === "/control/seen") return seen;
  if (path === "/control/followers") return [...followers.keys()];
  if (path === "/control/requests") return requests;
  if (path === "/control/post") return posts.get(body.id);
  const wish = body;
  const context = federation.createContext(new URL(origin), undefined);
  return { id: await verbs[wish.verb](context, wish) };
}

http.createServer(async (incoming, outgoing) => {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  const body = Buffer.concat(parts);
  const send = (status, headers, text) => {
    outgoing.writeHead(status, headers);
    outgoing.end(text);
  };
  try {
    if (incoming.url.startsWith("/control/")) {
      const answer = await control(incoming.url, body.length ? JSON.parse(body) : {});
      return send(200, { "content-type": "application/json" }, JSON.stringify(answer ?? null));
    }
    const request = new Request(new URL(incoming.url, origin), {
      method: incoming.method, headers: incoming.headers, body: body.length ? body : undefined });
    const response = await federation.fetch(request, { contextData: undefined });
    const text = Buffer.from(await response.arrayBuffer());
    if (incoming.method === "POST")
      requests.push({ path: incoming.url, headers: incoming.headers, body: body.toString(), status: response.status });
    send(response.status, Object.fromEntries(response.headers), text);
  } catch (problem) {
    send(500, { "content-type": "text/plain" }, String(problem?.stack ?? problem));
  }
}).listen(port, "127.0.0.1", () => console.log("ready"));

federation.startQueue(undefined);
