"""RELIABILITY A115 and A116 on a real node: what one may not see is what was never there, by every
route of the table, for people and for other servers; and what is another's stays as it is."""

import dataclasses
import hashlib
import re

import pytest
import requests

from database import one, rows
from fake_hosts import ACTIVITY, FakeHosts
from node import eventually
from routes import client_routes
from test_fedify import federated_node

STRANGER, BLOCKED, BANNED, FORMER, FOLLOWER, NAMED = range(6)
KINDS = ("unlisted", "private", "direct", "deleted unlisted", "deleted private", "deleted direct")
GONE = tuple(kind for kind in KINDS if kind.startswith("deleted"))
# What differs from answer to answer, whatever is asked for.
UNTOLD = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}


@dataclasses.dataclass(frozen=True)
class Viewer:
    name: str
    sees: frozenset  # of KINDS
    host: object = None     # the number of a fake host: another server
    account: object = None  # a person here

    @property
    def is_server(self):
        return self.name.startswith("server")


@dataclasses.dataclass(frozen=True)
class Post:
    id: str
    uri: str
    url: str
    text: str


class World:
    """Alice, what she wrote, and everybody who would like to see it."""

    def __init__(self, node, farm):
        self.node, self.farm = node, farm
        self.session = requests.Session()
        names = ("alice", "follower", "named", "former", "blocked", "stranger", "waiting")
        self.people = {name: node.create_account(name) for name in names}
        self.alice = self.people["alice"]
        self.alice_uri = f"{node.web_url}/users/alice"
        for name in ("follower", "former", "blocked"):
            self.do(self.people[name], f"/api/v1/accounts/{self.alice.id}/follow")
        followers = (BLOCKED, BANNED, FORMER, FOLLOWER)
        farm.follow(node, self.alice_uri, followers)
        self.settle()
        farm.learn_key(self.alice_uri)
        found = node.get("/api/v2/search", self.people["named"], params={
            "q": "u@" + farm.hosts[NAMED].name, "resolve": "true"}).json()["accounts"]
        assert found and one(node, "SELECT COUNT(*) FROM follow WHERE accepted = 1") == 7
        self.posts = {kind: self.publish(kind) for kind in KINDS}
        self.reply = self.answer(self.posts["private"])
        self.lose_friends()
        self.never = Post(*(text.replace(self.posts["private"].id, self.free_id()) for text in
                            dataclasses.astuple(self.posts["private"])))
        self.viewers = self.everybody()

    def do(self, account, path, method="POST", **fields):
        answer = self.node.request(method, path, account, json=fields)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def settle(self):
        assert eventually(lambda: not one(
            self.node, "SELECT COUNT(*) FROM inbox_log WHERE done = 0"), 60)

    def publish(self, kind):
        """A pinned poll that all who may have liked and kept; deleted ones are deleted at once."""
        text = "SECRET " + hashlib.md5(kind.encode()).hexdigest()
        visibility = kind.split()[-1]
        named = f" @named @u@{self.farm.hosts[NAMED].name}" if visibility == "direct" else ""
        made = self.do(self.alice, "/api/v1/statuses", status=text + named, visibility=visibility,
                       poll={"options": [text, "no"], "expires_in": 3600})
        path = f"/api/v1/statuses/{made['id']}"
        self.do(self.alice, path, "PUT", status=text + " edited" + named,
                poll={"options": [text, "no"], "expires_in": 3600})
        fans = ("named",) if visibility == "direct" else ("follower", "former", "blocked")
        for fan in fans:
            self.do(self.people[fan], path + "/favourite")
            self.do(self.people[fan], path + "/bookmark")
        if visibility != "direct":
            self.do(self.alice, path + "/pin")
        if kind in GONE:
            self.do(self.alice, path, "DELETE")
        return Post(made["id"], made["uri"], made["url"], text)

    def answer(self, post):
        return self.do(self.people["follower"], "/api/v1/statuses", status="so it is",
                       in_reply_to_id=post.id)["id"]

    def lose_friends(self):
        """Who had every post in his home timeline follows no more, or is blocked."""
        self.do(self.people["former"], f"/api/v1/accounts/{self.alice.id}/unfollow")
        self.do(self.alice, f"/api/v1/accounts/{self.people['blocked'].id}/block")
        follow = hashlib.md5(self.alice_uri.encode()).hexdigest()
        host = self.farm.hosts[FORMER]
        answer = self.farm.send(FORMER, self.node.web_url + "/inbox", {
            "@context": "https://www.w3.org/ns/activitystreams", "type": "Undo",
            "id": host.origin + "/undo", "actor": host.actor, "object": {
                "type": "Follow", "id": f"{host.origin}/follows/{follow}", "actor": host.actor,
                "object": self.alice_uri}})
        assert answer.status_code == 202, answer.text
        self.settle()
        enemy = one(self.node, "SELECT id FROM account WHERE uri = ?",
                    (self.farm.hosts[BLOCKED].actor,))
        self.do(self.alice, f"/api/v1/accounts/{enemy}/block")
        self.do(self.alice, "/api/v1/domain_blocks", domain=self.farm.hosts[BANNED].address)
        assert one(self.node, "SELECT COUNT(*) FROM follow WHERE accepted = 1") == 2
        self.do(self.alice, "/api/v1/accounts/update_credentials", "PATCH", locked=True)
        self.do(self.people["waiting"], f"/api/v1/accounts/{self.alice.id}/follow")

    def free_id(self):
        return str(max(int(post.id) for post in self.posts.values()) + 4_711)

    def everybody(self):
        unlisted, followed = frozenset({"unlisted"}), frozenset({"unlisted", "private"})
        named, nothing = frozenset({"unlisted", "direct"}), frozenset()
        person = lambda name, sees: Viewer(name, sees, account=self.people[name])
        return [Viewer("anonymous", unlisted), person("stranger", unlisted),
                person("former", unlisted), person("blocked", nothing), person("named", named),
                person("follower", followed), person("alice", followed | named),
                Viewer("server unsigned", unlisted),
                Viewer("server stranger", unlisted, STRANGER),
                Viewer("server former", unlisted, FORMER),
                Viewer("server blocked", nothing, BLOCKED),
                Viewer("server of a blocked domain", nothing, BANNED),
                Viewer("server of a follower", followed, FOLLOWER),
                Viewer("server named", named, NAMED)]

    def ask(self, viewer, path, **params):
        url = requests.Request("GET", self.node.web_url + path, params=params).prepare().url
        if viewer.host is not None:
            return self.farm.get(viewer.host, url)
        headers = {"Accept": ACTIVITY} if viewer.is_server else {}
        headers.update(viewer.account.headers if viewer.account else {})
        return self.session.get(url, headers=headers, timeout=30, allow_redirects=False)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def world(request):
    storage = None
    if request.param == "postgres":
        storage = request.getfixturevalue("postgres_server").url("visibility")
    with FakeHosts(6) as farm, federated_node(storage) as node:
        yield World(node, farm)
        assert not farm.problems, farm.problems


def looks(answer, post):
    """Everything that tells two answers apart, but for the id that was asked for."""
    headers = sorted((name.lower(), value) for name, value in answer.headers.items()
                     if name.lower() not in UNTOLD)
    return f"{answer.status_code} {headers}\n{answer.text}".replace(post.id, "ID")


def is_document(route):
    return route.pattern.startswith(("/users/", "/@"))


def is_page(route, viewer):
    """A page for people knows nobody, whoever asks."""
    return is_document(route) and not viewer.is_server


def has_post_id(route):
    return (re.search(r"/(statuses|polls)/\{\}", route.pattern) is not None
            or route.pattern == "/@{}/{}")


def reading(with_post_id):
    return [route for route in client_routes()
            if route.method == "GET" and has_post_id(route) == with_post_id]


# --- A116 ------------------------------------------------------------------------------------------

def fill(route, id):
    return route.path(*(["alice", id] if is_document(route) else [id]))


@pytest.mark.parametrize("route", reading(True), ids=lambda route: route.pattern)
def test_an_id_that_one_may_not_see_is_answered_as_one_that_never_was(world, route):
    wrong = []
    for viewer in world.viewers:
        if viewer.is_server and not is_document(route):
            continue
        sees = {"unlisted"} if is_page(route, viewer) else viewer.sees
        nothing = world.ask(viewer, fill(route, world.never.id))
        is_refused = route.access == "user" and not viewer.account
        assert nothing.status_code == (401 if is_refused else 404), (viewer, nothing.text)
        for kind, post in world.posts.items():
            answer = world.ask(viewer, fill(route, post.id))
            if is_document(route):
                assert "Signature" in answer.headers["Vary"], (viewer, kind)
            if viewer.host is not None:
                assert "public" not in answer.headers.get("Cache-Control", ""), (viewer, kind)
            if viewer.is_server and kind == "deleted unlisted":
                right = answer.status_code == 410 and answer.json()["type"] == "Tombstone"
            elif kind in sees and not is_refused:
                right = answer.status_code in (200, 302)
            else:
                right = looks(answer, post) == looks(nothing, world.never)
            if not right or (kind not in sees and post.text in answer.text):
                wrong.append((viewer.name, kind, looks(answer, post), looks(nothing, world.never)))
    assert not wrong, wrong


@pytest.mark.parametrize("route", reading(True), ids=lambda route: route.pattern)
def test_what_is_near_an_unseen_post_does_not_show_it(world, route):
    """A public reply to a post for followers; the thread of it."""
    names = ["follower", world.reply] if is_document(route) else [world.reply]
    for viewer in world.viewers:
        answer = world.ask(viewer, route.path(*names))
        for kind, post in world.posts.items():
            if kind not in viewer.sees:
                assert post.text not in answer.text, (viewer, kind)
        if route.handler == "show_context":
            shown = world.posts["private"].text in answer.text
            assert shown == ("private" in viewer.sees and not viewer.is_server), viewer


def list_paths(world):
    """The addresses of everything that shows posts without being asked for one by its id."""
    for route in reading(False):
        if route.pattern.startswith("/oauth/"):
            continue
        holes = route.pattern.count("{}")
        name = "alice" if is_document(route) else world.alice.id
        yield route, route.path(*[name] * holes)


def wishes(post):
    """Parameters that name a post, in every way that some route understands."""
    return ({"id[]": post.id, "q": post.uri, "resource": post.uri, "page": "true"},
            {"q": post.url, "type": "statuses", "resolve": "true", "pinned": "true"})


def test_no_list_search_or_collection_shows_what_one_may_not_see(world):
    wrong = []
    for viewer in world.viewers:
        found = set()
        for route, path in list_paths(world):
            if viewer.is_server and route.pattern.startswith("/api/"):
                continue
            nothing = [looks(world.ask(viewer, path, **wish), world.never)
                       for wish in wishes(world.never)]
            plain = world.ask(viewer, path, limit=40).text
            for kind, post in world.posts.items():
                answers = [world.ask(viewer, path, **wish) for wish in wishes(post)]
                shown = post.text in plain + "".join(answer.text for answer in answers)
                if is_page(route, viewer):
                    assert not shown or kind == "unlisted", (viewer, path, kind)
                    continue
                if shown:
                    found.add(kind)
                hidden = kind not in viewer.sees
                if hidden and [looks(answer, post) for answer in answers] != nothing:
                    wrong.append((viewer.name, path, kind))
        # A collection for other servers is the same for all who are not blocked.
        expected = viewer.sees & {"unlisted"} if viewer.is_server else viewer.sees
        assert found == expected, viewer
    assert not wrong, wrong


# --- A115 ------------------------------------------------------------------------------------------

WATCHED = ("account", "post", "post_edit", "mention", "post_tag", "pin", "favourite", "bookmark",
           "poll", "poll_vote", "follow", "block", "mute", "notification", "report", "domain_block",
           "token", "tombstone")


def picture(world):
    """Every row that a person or a server could have changed."""
    def readable(row):
        return [bytes(value) if isinstance(value, memoryview) else value for value in row]

    return {table: sorted(repr(readable(row)) for row in rows(world.node, f"SELECT * FROM {table}"))
            for table in WATCHED} | {"log": one(world.node, "SELECT MAX(seq) FROM log")}


def body_for(post, world):
    return {"status": "mine now", "choices": ["0"], "account_id": world.alice.id,
            "status_ids": [post.id], "in_reply_to_id": post.id}


@pytest.fixture(scope="module")
def intruders(world):
    people = [world.people[name] for name in ("stranger", "former", "blocked")]
    assert all(person.token for person in people), "made before the picture"
    return people


def writing(pattern):
    return [route for route in client_routes()
            if route.method != "GET" and re.search(pattern, route.pattern)]


@pytest.mark.parametrize("route", writing(r"/(statuses|polls)/\{\}") + writing("/(reports|statuses)$"),
                         ids=lambda route: f"{route.method} {route.pattern}")
def test_nobody_does_anything_with_a_post_that_he_may_not_see(world, intruders, route):
    before = picture(world)
    for person in intruders:
        hidden = [world.posts[kind] for kind in KINDS if kind != "unlisted"]
        nothing, *answers = [world.node.request(
            route.method, route.path(*[post.id] * route.pattern.count("{}")), person,
            json=body_for(post, world)) for post in [world.never, *hidden]]
        assert nothing.status_code in (403, 404), (person.name, nothing.text)
        for answer, post in zip(answers, hidden):
            assert looks(answer, post) == looks(nothing, world.never), (person.name, post)
    assert picture(world) == before


@pytest.mark.parametrize("route", writing(r"/statuses/\{\}(/pin)?$"),
                         ids=lambda route: f"{route.method} {route.pattern}")
def test_a_post_that_everybody_sees_is_still_its_authors(world, intruders, route):
    before = picture(world)
    post = world.posts["unlisted"]
    for person in intruders:
        answer = world.node.request(route.method, route.path(post.id), person,
                                    json=body_for(post, world))
        # Mastodon says of another's post that it cannot be pinned.
        allowed = (422, 404) if route.pattern.endswith("/pin") else (403, 404)
        assert answer.status_code in allowed, (person.name, answer.text)
    assert picture(world) == before


def own_routes():
    """Everything else with an id of a thing that has an owner, reading and writing."""
    return [route for route in client_routes()
            if route.access == "user" and "{}" in route.pattern
            and not re.search(r"/(statuses|polls|accounts)/\{\}", route.pattern)]


@pytest.mark.parametrize("route", own_routes(), ids=lambda route: f"{route.method} {route.pattern}")
def test_what_is_told_or_asked_of_one_is_not_anothers(world, intruders, route):
    ids = {"notifications": one(world.node, "SELECT MAX(id) FROM notification WHERE account_id = ?",
                                (int(world.alice.id),)),
           "follow_requests": int(world.people["waiting"].id)}
    id = next(id for word, id in ids.items() if f"/{word}/" in route.pattern)
    before = picture(world)
    for person in intruders:
        answer, nothing = [world.node.request(route.method, route.path(each), person)
                           for each in (id, world.never.id)]
        assert answer.status_code == 404, (person.name, answer.text)
        assert looks(answer, dataclasses.replace(world.never, id=str(id))) == looks(
            nothing, world.never)
    assert picture(world) == before
