"""What the servers of the field really send, and what a client of ours is shown of it.

The shapes are those of tests/fixtures/activities; hosts, ids and accounts become those of the fake
hosts. Bob, whom the fixtures name, is alice here; she follows every account that speaks.
"""

import copy
import datetime
import json
import pathlib
import time
import urllib.parse

import pytest
import requests

from database import one, rows
from fake_hosts import ACTIVITY, FakeHosts
from node import eventually
from test_fedify import federated_node
from test_openapi import DESCRIPTION, Checker

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "activities"
AS = "https://www.w3.org/ns/activitystreams"
PUBLIC = AS + "#Public"
LD_JSON = f'application/ld+json; profile="{AS}"'
SERVERS = ("mastodon", "misskey", "pleroma", "akkoma", "lemmy", "pixelfed", "peertube", "gts", "other")


def moment(hours=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Peer:
    """A server of one kind. Its accounts are served as documents and found by WebFinger."""

    def __init__(self, world, host):
        self.world, self.host = world, host
        self.origin, self.name = host.origin, host.name

    def person(self, path, called, **more):
        uri = self.origin + path
        return {"@context": [AS, "https://w3id.org/security/v1"], "id": uri, "type": "Person",
                "preferredUsername": called, "inbox": uri + "/inbox", "outbox": uri + "/outbox",
                "followers": uri + "/followers",
                "publicKey": {"id": uri + "#main-key", "owner": uri, "publicKeyPem": "-"}, **more}

    def serve_actor(self, document, content_type=ACTIVITY, acct=None):
        document = {**document, "publicKey": {**document["publicKey"],
                                              "publicKeyPem": self.world.farm.public_pem}}
        uri, name = document["id"], document["preferredUsername"]
        self.serve(uri, document, content_type)
        address = acct or f"{name}@{self.name}"
        self.host.documents[f"/.well-known/webfinger?resource=acct:{address}"] = (
            200, {"Content-Type": "application/jrd+json; charset=utf-8"}, json.dumps({
                "subject": f"acct:{address}", "aliases": [uri],
                "links": [{"rel": "http://webfinger.net/rel/profile-page", "type": "text/html",
                           "href": uri},
                          {"rel": "self", "type": content_type, "href": uri},
                          {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": "x{uri}"}]
            }).encode())
        return uri

    def serve(self, uri, document, content_type=ACTIVITY):
        path = uri[len(self.origin):].split("#")[0]
        self.host.documents[path] = (200, {"Content-Type": content_type},
                                     json.dumps(document).encode())

    def send(self, activity, url=None, key_id=None):
        """POSTs it, signed by its actor, and waits until it was applied."""
        world = self.world
        url = url or world.inbox
        body = json.dumps({"@context": AS, **activity}).encode()
        headers = world.farm.signed_headers(self.host, url, body,
                                            key_id or activity["actor"] + "#main-key")
        answer = requests.post(url, data=body, headers=headers, timeout=60)
        assert answer.status_code == 202, (answer.status_code, answer.text)
        world.settle()
        return activity

    def got(self, kind, claim=lambda activity: True):
        """The activities of a type that it received."""
        return [one for one in list(self.host.bodies.values())
                if one["type"] == kind and claim(one)]

    def wait_got(self, kind, claim=lambda activity: True):
        found = eventually(lambda: self.got(kind, claim), 30)
        assert found, (kind, [one["type"] for one in self.host.bodies.values()])
        return found[-1]


class World:
    def __init__(self, node, farm):
        self.node, self.farm = node, farm
        self.inbox = node.web_url + "/inbox"
        self.count = 0
        self.alice = node.create_account("alice")
        self.alice_uri = f"{node.web_url}/users/alice"
        self.peers = {name: Peer(self, host) for name, host in zip(SERVERS, farm.hosts)}
        self.own = self.publish(status="ours")
        self.poll = self.publish(status="?", **{"poll[options][]": ["green", "black"],
                                                "poll[expires_in]": 3600})
        self.serve_everybody()
        self.known = {}

    def serve_everybody(self):
        for kind in ("mastodon_person", "misskey_person", "pleroma_person", "peertube_account",
                     "lemmy_group"):
            self.peers[kind.split("_")[0]].serve_actor(self.fixture(kind))
        peers = self.peers
        peers["lemmy"].serve_actor(peers["lemmy"].person("/u/eve", "eve"))
        peers["akkoma"].serve_actor(peers["akkoma"].person("/users/cleo", "cleo"))
        peers["pixelfed"].serve_actor(peers["pixelfed"].person("/users/fay", "fay"))
        peers["gts"].serve_actor(peers["gts"].person("/users/hal", "hal"), LD_JSON)
        peers["peertube"].serve_actor(
            peers["peertube"].person("/video-channels/canals", "canals", type="Group"))
        peers["mastodon"].serve_actor(
            peers["mastodon"].person("/actor", "mastodon.internal", type="Application"))

    def fixture(self, which, **changes):
        """The document as its server would send it to us."""
        text = (FIXTURES / f"{which}.json").read_text()
        bob = "https://trunk.example/users/bob"
        text = text.replace(bob + "/statuses/7", self.own["uri"])
        text = text.replace(bob + "/statuses/8", self.poll["uri"])
        text = text.replace(bob, self.alice_uri).replace("@bob@trunk.example",
                                                         f"@alice@{self.node.domain}")
        for server, peer in self.peers.items():
            text = text.replace(f"https://{server}.example/", peer.origin + "/")
        return {**json.loads(text), **changes}

    def settle(self):
        assert eventually(lambda: not one(
            self.node, "SELECT COUNT(*) FROM inbox_log WHERE done = 0"), 60), \
            rows(self.node, "SELECT actor, ap_id, body FROM inbox_log WHERE done = 0")

    def call(self, method, path, account=None, status=200, **more):
        answer = self.node.request(method, path, account or self.alice, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json()

    def get(self, path, account=None, **params):
        return self.call("GET", path, account, params=params)

    def do(self, path, account=None, **form):
        return self.call("POST", path, account, data=form)

    def publish(self, account=None, **form):
        return self.do("/api/v1/statuses", account, **form)

    def find(self, query, kind="accounts", account=None):
        found = self.get("/api/v2/search", account, q=query, resolve="true")[kind]
        assert found, (query, self.node.log()[-2000:])
        return found[0]

    def relation(self, id, account=None):
        return self.get("/api/v1/accounts/relationships", account, **{"id[]": id})[0]

    def follow(self, peer, uri):
        """Alice follows; the other side accepts. Returns the account as it is shown."""
        if uri not in self.known:
            found = self.find(uri)
            self.do(f"/api/v1/accounts/{found['id']}/follow")
            follow = peer.wait_got("Follow", lambda seen: seen["object"] == uri)
            assert self.relation(found["id"])["requested"]
            peer.send({"id": self.fresh(peer), "type": "Accept", "actor": uri, "object": follow})
            assert self.relation(found["id"])["following"]
            self.known[uri] = found
        return self.known[uri]

    def follow_of(self, peer, name):
        return self.follow(peer, peer.origin + name)

    def fresh(self, peer, kind="activities"):
        self.count += 1
        return f"{peer.origin}/{kind}/{self.count}"

    def home(self):
        return self.get("/api/v1/timelines/home", limit=40)

    def in_home(self, claim):
        found = eventually(lambda: [post for post in self.home() if claim(post)], 20)
        assert found, [post["uri"] for post in self.home()]
        return found[0]

    def posted(self, uri):
        return self.in_home(lambda post: post["uri"] == uri)

    def status(self, id, account=None):
        return self.get(f"/api/v1/statuses/{id}", account)

    def note(self, peer, author, content="<p>hello</p>", **more):
        return {"id": self.fresh(peer, "notes"), "type": "Note", "attributedTo": author,
                "content": content, "published": moment(), "to": [PUBLIC],
                "cc": [author + "/followers"], **more}

    def create(self, peer, author, note):
        peer.send({"id": note["id"] + "/activity", "type": "Create", "actor": author,
                   "to": note.get("to"), "cc": note.get("cc"), "object": note})
        return note


@pytest.fixture(scope="module")
def world():
    with FakeHosts(len(SERVERS), keep_bodies=True) as farm, \
            federated_node(**{"federation.allow_addresses": ["127.0.0.1/32", "127.1.0.0/16"]}) as node:
        yield World(node, farm)
        assert not farm.problems, farm.problems


# --- accounts -----------------------------------------------------------------------------------

def test_the_profile_of_mastodon(world):
    peer = world.peers["mastodon"]
    account = world.follow_of(peer, "/users/ada")
    assert account["acct"] == f"ada@{peer.name}" and account["username"] == "ada"
    assert account["display_name"] == "Ada :gear:" and account["note"] == "<p>Analyst.</p>"
    assert account["locked"] and not account["bot"] and account["discoverable"]
    assert account["uri"] == peer.origin + "/users/ada" and account["url"] == peer.origin + "/@ada"
    assert account["avatar"] == account["avatar_static"] \
        == "https://files.mastodon.example/avatars/ada.jpg"
    assert account["header"] == "https://files.mastodon.example/headers/ada.jpg"
    assert account["created_at"] == "2024-05-01T00:00:00.000Z"
    assert account["emojis"] == [{
        "shortcode": "gear", "url": "https://files.mastodon.example/emoji/gear.png",
        "static_url": "https://files.mastodon.example/emoji/gear.png", "visible_in_picker": True}]
    assert account["fields"][0] == {"name": "Pronouns", "value": "she/her", "verified_at": None}
    assert account["fields"][1]["value"].startswith('<a href="https://ada.example"')


def test_the_profiles_of_others(world):
    neko = world.follow_of(world.peers["misskey"], "/users/9abc")
    assert neko["username"] == "neko" and neko["display_name"] == ""
    assert neko["url"].endswith("/@neko") and neko["note"] == "" and not neko["locked"]
    assert neko["avatar"].endswith("/pictures/avatar.png")
    dan = world.follow_of(world.peers["pleroma"], "/users/dan")
    assert dan["bot"] and dan["avatar"] == world.peers["pleroma"].origin + "/media/dan.png"
    gil = world.follow_of(world.peers["peertube"], "/accounts/gil")
    assert gil["url"] == world.peers["peertube"].origin + "/a/gil", "the page for people"
    assert gil["avatar"].startswith(world.peers["peertube"].origin + "/lazy-static/avatars/")
    trains = world.follow_of(world.peers["lemmy"], "/c/trains")
    assert trains["display_name"] == "Trains" and trains["note"] == "<p>On rails</p>\n"


def test_an_update_of_an_actor_changes_the_profile(world):
    peer = world.peers["mastodon"]
    account = world.follow_of(peer, "/users/ada")
    person = world.fixture("mastodon_person", name="Ada", summary="<p>Countess.</p>",
                           manuallyApprovesFollowers=False,
                           icon={"type": "Image", "url": "https://files.mastodon.example/new.png"})
    peer.serve_actor(person)
    peer.send({"id": world.fresh(peer), "type": "Update", "actor": person["id"], "object": person,
               "to": PUBLIC})
    shown = world.get(f"/api/v1/accounts/{account['id']}")
    assert shown["display_name"] == "Ada" and shown["note"] == "<p>Countess.</p>"
    assert not shown["locked"] and shown["emojis"] == []
    assert shown["avatar"] == "https://files.mastodon.example/new.png"


@pytest.mark.parametrize("content_type", [LD_JSON, ACTIVITY + "; charset=utf-8",
                                          f'application/ld+json;profile="{AS}";charset=utf-8'])
def test_actors_under_every_content_type_and_without_a_shared_inbox(world, content_type):
    peer = world.peers["other"]
    name = f"plain{world.fresh(peer).rsplit('/')[-1]}"
    uri = peer.serve_actor(peer.person(f"/users/{name}", name), content_type)
    account = world.follow(peer, uri)
    assert account["acct"] == f"{name}@{peer.name}"
    note = world.create(peer, uri, world.note(peer, uri))
    assert world.posted(note["id"])["account"]["id"] == account["id"]


@pytest.mark.parametrize("changes", [
    {"name": None, "summary": None, "icon": None, "image": None, "url": None, "endpoints": None,
     "tag": None, "attachment": None, "alsoKnownAs": None, "published": None},
    {"url": [], "icon": [], "tag": [], "attachment": [], "alsoKnownAs": [], "endpoints": {}},
    {"type": ["Person", "Profile"], "tag": {"type": "Hashtag", "name": "#x"}, "alsoKnownAs": "x:y",
     "attachment": {"type": "PropertyValue", "name": "n", "value": "v"}, "url": ["x:y"]},
    {"type": "Application", "published": "yesterday", "name": {"en": "x"}, "summary": ["x"]},
    {"nameMap": {"en": "Of the map"}, "featured": "https://elsewhere.example/featured"},
], ids=["nulls", "empty lists", "single ones", "wrong kinds", "maps"])
def test_actors_of_loose_shapes(world, changes):
    peer = world.peers["other"]
    name = f"loose{world.fresh(peer).rsplit('/')[-1]}"
    uri = peer.serve_actor(peer.person(f"/users/{name}", name, **changes))
    account = world.follow(peer, uri)
    assert account["username"] == name and account["url"] == uri
    assert account["bot"] is (changes.get("type") == "Application")
    assert account["display_name"] == ("Of the map" if "nameMap" in changes else "")
    fields = changes.get("attachment") or []
    assert len(account["fields"]) == (1 if fields else 0)


def test_upper_case_in_addresses(world):
    peer = world.peers["other"]
    uri = peer.serve_actor(peer.person("/users/Mixed", "Mixed"))
    account = world.find(uri)
    assert account["acct"] == f"Mixed@{peer.name}"
    assert world.find(f"@mixed@{peer.name.upper()}")["id"] == account["id"]
    assert world.find(f"MIXED@{peer.name}")["id"] == account["id"]
    assert world.get("/api/v1/accounts/lookup", acct=f"mIxEd@{peer.name}")["id"] == account["id"]


# --- posts --------------------------------------------------------------------------------------

def test_a_post_of_mastodon(world):
    peer = world.peers["mastodon"]
    world.follow_of(peer, "/users/ada")
    peer.send(world.fixture("mastodon_create_note"))
    post = world.posted(peer.origin + "/users/ada/statuses/1")
    assert post["url"] == peer.origin + "/@ada/1"
    assert "engines" in post["content"] and 'class="u-url mention"' in post["content"]
    assert post["language"] == "en" and post["visibility"] == "public"
    assert not post["sensitive"] and post["spoiler_text"] == ""
    assert post["in_reply_to_id"] == world.own["id"]
    assert post["in_reply_to_account_id"] == world.alice.id
    assert post["account"]["acct"] == f"ada@{peer.name}"
    assert post["created_at"] == "2026-11-01T12:30:45.000Z"
    assert [(one["id"], one["acct"]) for one in post["mentions"]] == [(world.alice.id, "alice")]
    assert [one["name"].lower() for one in post["tags"]] == ["steam"]
    assert [one["shortcode"] for one in post["emojis"]] == ["gear"]
    medium = post["media_attachments"][0]
    assert medium["type"] == "image" and medium["description"] == "An engine"
    assert medium["url"] == medium["remote_url"] == "https://files.mastodon.example/media/engine.png"
    assert "mention" in [one["type"] for one in world.get("/api/v1/notifications")
                         if one.get("status", {}).get("id") == post["id"]]
    assert world.status(world.own["id"])["replies_count"] >= 1


def test_a_poll_of_mastodon(world):
    peer = world.peers["mastodon"]
    world.follow_of(peer, "/users/ada")
    ends = moment(24)
    question = world.fixture("mastodon_question", endTime=ends)
    world.create(peer, question["attributedTo"], question)
    post = world.posted(question["id"])
    assert post["visibility"] == "private" and post["sensitive"]
    assert post["spoiler_text"] == "A question of tea" and post["language"] == "en"
    poll = post["poll"]
    assert [(each["title"], each["votes_count"]) for each in poll["options"]] \
        == [("green", 6), ("black", 3)]
    assert poll["votes_count"] == 9 and poll["voters_count"] == 9
    assert not poll["multiple"] and not poll["expired"] and not poll["voted"]
    assert poll["expires_at"] == ends.replace("Z", ".000Z")

    voted = world.call("POST", f"/api/v1/polls/{poll['id']}/votes", data={"choices[]": "1"})
    assert voted["voted"] and voted["own_votes"] == [1]
    vote = peer.wait_got("Create", lambda seen: seen["object"].get("name") == "black")
    assert vote["object"]["inReplyTo"] == question["id"] and "content" not in vote["object"]
    # The server of the poll tells the new count.
    told = copy.deepcopy(question)
    told["oneOf"][1]["replies"]["totalItems"] = 4
    told["votersCount"] = 10
    peer.send({"id": world.fresh(peer), "type": "Update", "actor": question["attributedTo"],
               "to": question["to"], "object": told})
    poll = world.status(post["id"])["poll"]
    assert [each["votes_count"] for each in poll["options"]] == [6, 4]
    assert poll["voters_count"] == 10 and poll["own_votes"] == [1]


def test_a_poll_of_misskey_and_a_vote_on_ours(world):
    peer = world.peers["misskey"]
    world.follow_of(peer, "/users/9abc")
    question = world.fixture("misskey_question")
    world.create(peer, question["attributedTo"], question)
    post = world.posted(question["id"])
    poll = post["poll"]
    assert post["visibility"] == "public" and poll["multiple"] and poll["expired"]
    assert [each["votes_count"] for each in poll["options"]] == [2, 1]
    assert poll["voters_count"] is None, "nobody told how many"

    ada = world.peers["mastodon"]
    world.follow_of(ada, "/users/ada")
    ada.send(world.fixture("mastodon_vote"))
    shown = world.status(world.poll["id"])["poll"]
    assert [each["votes_count"] for each in shown["options"]] == [1, 0]


def test_a_note_of_misskey(world):
    peer = world.peers["misskey"]
    world.follow_of(peer, "/users/9abc")
    peer.send(world.fixture("misskey_note"))
    post = world.posted(peer.origin + "/notes/9xyz")
    assert post["visibility"] == "unlisted" and post["sensitive"] and post["spoiler_text"] == ""
    assert post["url"] == post["uri"]
    assert "/notes/5" in post["content"] and "RE: " in post["content"]
    medium = post["media_attachments"][0]
    assert medium["url"] == "https://media.misskey.example/f.webp"
    assert medium["type"] == "image" and medium["description"] is None


def test_a_note_of_pleroma(world):
    peer = world.peers["pleroma"]
    world.follow_of(peer, "/users/dan")
    peer.send(world.fixture("pleroma_create_note"))
    post = world.posted(peer.origin + "/objects/1")
    assert post["language"] == "fr" and not post["sensitive"]
    assert post["created_at"] == "2026-11-08T08:00:00.123Z"
    assert [each["name"] for each in post["tags"]] == ["maps"]
    medium = post["media_attachments"][0]
    assert medium["url"] == peer.origin + "/media/chart.png" and medium["type"] == "image"
    assert medium["description"] == "a chart"


def test_a_note_of_pixelfed_whose_tag_is_an_object(world):
    peer = world.peers["pixelfed"]
    world.follow_of(peer, "/users/fay")
    peer.send(world.fixture("pixelfed_create_note"))
    post = world.posted(peer.origin + "/p/fay/1")
    assert [each["name"] for each in post["tags"]] == ["bridges"]
    assert post["media_attachments"][0]["type"] == "image"
    assert post["content"].strip("</p>") == "A bridge"


def test_a_note_of_gotosocial_with_strings_for_lists(world):
    peer = world.peers["gts"]
    world.follow_of(peer, "/users/hal")
    peer.send(world.fixture("gotosocial_create_note"))
    post = world.posted(peer.origin + "/users/hal/statuses/01H")
    assert post["visibility"] == "public" and post["spoiler_text"] == "plumbing"
    assert post["sensitive"] and post["language"] == "nl"
    assert post["url"] == peer.origin + "/@hal/statuses/01H"
    assert post["media_attachments"][0]["description"] == "a pump"


def test_a_group_of_lemmy_boosts(world):
    peer = world.peers["lemmy"]
    trains = world.follow_of(peer, "/c/trains")
    announce = world.fixture("lemmy_announce_create_page")
    peer.serve(peer.origin + "/post/9", announce["object"]["object"])
    peer.send(announce)
    boost = world.in_home(lambda post: post["account"]["id"] == trains["id"])
    page = boost["reblog"]
    assert page["uri"] == peer.origin + "/post/9" and page["account"]["username"] == "eve"
    assert "Night trains &amp; &lt;sleepers&gt;" in page["content"]
    assert f'href="{peer.origin}/post/9"' in page["content"]
    assert [each["name"] for each in page["tags"]] == ["trains"]


def test_what_else_a_group_of_lemmy_announces(world):
    """Comments are boosted, edits and deletes are looked at, votes have no effect."""
    peer = world.peers["lemmy"]
    trains = world.follow_of(peer, "/c/trains")
    eve = peer.origin + "/u/eve"
    comment = world.note(peer, eve, "<p>a comment</p>", source={"content": "a comment"},
                         published=moment(-1),
                         cc=[trains["uri"], eve], audience=trains["uri"])
    peer.serve(comment["id"], {"@context": AS, **comment})

    def announce(kind, about, **more):
        peer.send({"id": world.fresh(peer), "type": "Announce", "actor": trains["uri"],
                   "to": [PUBLIC], "cc": [trains["uri"] + "/followers"],
                   "object": {"id": world.fresh(peer), "type": kind, "actor": eve, "to": [PUBLIC],
                              "object": about, "audience": trains["uri"], **more}})

    announce("Create", comment)
    boosted = lambda: [post["reblog"] for post in world.home()
                       if post["reblog"] and post["reblog"]["uri"] == comment["id"]]
    assert eventually(boosted)[0]["content"] == "<p>a comment</p>"
    posts, likes = (one(world.node, f"SELECT COUNT(*) FROM {table}")
                    for table in ("post", "favourite"))
    asked = len(peer.host.asked)
    announce("Like", comment["id"])
    announce("Dislike", comment["id"])
    announce("Undo", {"id": world.fresh(peer), "type": "Like", "actor": eve,
                      "object": comment["id"]})
    announce("Lock", comment["id"])
    assert (posts, likes) == tuple(one(world.node, f"SELECT COUNT(*) FROM {table}")
                                   for table in ("post", "favourite"))
    assert len(peer.host.asked) == asked, "nobody was asked about votes"
    edited = {**comment, "content": "<p>edited</p>", "updated": moment()}
    peer.serve(comment["id"], {"@context": AS, **edited})
    announce("Update", edited)
    assert eventually(lambda: boosted()[0]["content"] == "<p>edited</p>"), boosted()
    peer.host.documents[urllib.parse.urlsplit(comment["id"]).path] = (410, {}, b"{}")
    announce("Delete", comment["id"], summary="bad")
    assert eventually(lambda: not boosted()), boosted()


@pytest.mark.parametrize("arrives", ["Create", "Announce"])
def test_a_video_of_peertube(world, arrives):
    peer = world.peers["peertube"]
    video = world.fixture("peertube_video")
    text = json.dumps(video).replace("aaaa", arrives.lower())
    video = json.loads(text)
    gil, channel = peer.origin + "/accounts/gil", peer.origin + "/video-channels/canals"
    peer.serve(video["id"], video)
    if arrives == "Create":
        world.follow(peer, gil)
        world.create(peer, gil, video)
        post = world.posted(video["id"])
    else:
        shown = world.follow(peer, channel)
        peer.send({"id": video["id"] + "/announces/1", "type": "Announce", "actor": channel,
                   "to": [PUBLIC, channel + "/followers"], "cc": [], "object": video["id"]})
        post = world.in_home(lambda post: post["account"]["id"] == shown["id"])["reblog"]
    assert post["account"]["username"] == "gil"
    assert "How locks work" in post["content"] and "**locks**" not in post["content"]
    page = f"{peer.origin}/w/{arrives.lower()}"
    assert post["url"] == page and f'href="{page}"' in post["content"]
    assert [each["name"] for each in post["tags"]] == ["canals"]


@pytest.mark.parametrize("change", ["to is a string", "object is an id", "author in a list",
                                    "author is an object", "no to, but in the Create",
                                    "as:Public", "content only in contentMap", "types in a list"])
def test_loose_shapes(world, change):
    peer = world.peers["pleroma"]
    dan = peer.origin + "/users/dan"
    world.follow(peer, dan)
    note = world.note(peer, dan)
    activity = {"id": note["id"] + "/activity", "type": "Create", "actor": dan, "to": [PUBLIC],
                "cc": [dan + "/followers"], "object": note}
    if change == "to is a string":
        note["to"], note["cc"] = PUBLIC, dan + "/followers"
    elif change == "object is an id":
        peer.serve(note["id"], {"@context": AS, **note})
        activity["object"] = note["id"]
    elif change == "author in a list":
        note["attributedTo"] = [dan]
    elif change == "author is an object":
        note["attributedTo"] = {"type": "Person", "id": dan}
        activity["actor"] = {"type": "Person", "id": dan}
    elif change == "no to, but in the Create":
        del note["to"], note["cc"]
    elif change == "as:Public":
        note["to"] = "as:Public"
    elif change == "content only in contentMap":
        note["contentMap"] = {"nl": note.pop("content")}
    else:
        note["type"], activity["type"] = ["Note"], ["Create"]
    peer.send(activity, key_id=dan + "#main-key")
    post = world.posted(note["id"])
    assert post["visibility"] == "public" and post["content"] == "<p>hello</p>"
    assert post["account"]["uri"] == dan


def test_a_post_that_names_others(world):
    peer, far = world.peers["mastodon"], world.peers["akkoma"]
    ada, cleo = peer.origin + "/users/ada", far.origin + "/users/cleo"
    world.follow(peer, ada)
    account = world.follow(far, cleo)
    note = world.create(peer, ada, world.note(peer, ada, tag=[
        {"type": "Mention", "href": cleo, "name": f"@cleo@{far.name}"},
        {"type": "Mention", "href": world.alice_uri, "name": "@alice"}]))
    named = {each["acct"]: each["id"] for each in world.posted(note["id"])["mentions"]}
    assert named == {"alice": world.alice.id, f"cleo@{far.name}": account["id"]}


# --- what is done with posts --------------------------------------------------------------------

def favourites(world):
    return world.status(world.own["id"])["favourites_count"]


def test_reactions_are_favourites(world):
    before = favourites(world)
    neko, cleo = world.peers["misskey"], world.peers["akkoma"]
    world.follow_of(neko, "/users/9abc")
    world.follow_of(cleo, "/users/cleo")
    like = neko.send(world.fixture("misskey_like"))
    assert favourites(world) == before + 1
    react = cleo.send(world.fixture("akkoma_emoji_react"))
    assert favourites(world) == before + 2
    # Both are taken back as their servers do.
    neko.send({"id": like["id"] + "/undo", "type": "Undo", "actor": like["actor"], "object": like})
    cleo.send({"id": world.fresh(cleo), "type": "Undo", "actor": react["actor"],
               "object": react["id"]})
    assert favourites(world) == before


def test_a_chat_message_is_ignored(world):
    peer = world.peers["pleroma"]
    world.follow_of(peer, "/users/dan")
    before = one(world.node, "SELECT COUNT(*) FROM post")
    peer.send(world.fixture("pleroma_chat_message"))
    assert one(world.node, "SELECT COUNT(*) FROM post") == before
    assert one(world.node, "SELECT done FROM inbox_log WHERE ap_id = ?",
               (peer.origin + "/activities/2",)) == 1


def test_a_delete_of_mastodon(world):
    peer = world.peers["mastodon"]
    ada = peer.origin + "/users/ada"
    world.follow(peer, ada)
    note = world.create(peer, ada, world.note(peer, ada))
    post = world.posted(note["id"])
    text = json.dumps(world.fixture("mastodon_delete"))
    peer.send(json.loads(text.replace(ada + "/statuses/1", note["id"])))
    world.call("GET", f"/api/v1/statuses/{post['id']}", status=404)
    assert note["id"] not in [each["uri"] for each in world.home()]


def test_an_edit_of_mastodon(world):
    peer = world.peers["mastodon"]
    ada = peer.origin + "/users/ada"
    world.follow(peer, ada)
    note = world.create(peer, ada, world.note(peer, ada, published=moment(-1)))
    post = world.posted(note["id"])
    peer.send({"id": world.fresh(peer), "type": "Update", "actor": ada, "to": [PUBLIC],
               "object": {**note, "content": "<p>better</p>", "updated": moment()}})
    edited = world.status(post["id"])
    assert edited["content"] == "<p>better</p>" and edited["edited_at"]
    history = world.get(f"/api/v1/statuses/{post['id']}/history")
    assert [each["content"] for each in history] == ["<p>hello</p>", "<p>better</p>"]


def test_a_flag_of_mastodon_is_stored(world):
    peer = world.peers["mastodon"]
    peer.send(world.fixture("mastodon_flag"))
    found = rows(world.node, "SELECT target, post_ids, comment FROM report WHERE uri = ?",
                 (peer.origin + "/c3bf2a50",))
    assert [(str(target), comment) for target, _, comment in found] \
        == [(world.alice.id, "This is spam")]
    assert world.own["id"] in found[0][1]


def test_a_pinned_post(world):
    peer = world.peers["mastodon"]
    ada = peer.origin + "/users/ada"
    account = world.follow(peer, ada)
    note = world.create(peer, ada, world.note(peer, ada))
    world.posted(note["id"])
    pinned = lambda: [each["uri"] for each in world.get(
        f"/api/v1/accounts/{account['id']}/statuses", pinned="true")]
    for kind, expected in (("Add", [note["id"]]), ("Remove", [])):
        peer.send({"id": world.fresh(peer), "type": kind, "actor": ada, "object": note["id"],
                   "target": ada + "/collections/featured"})
        assert pinned() == expected


def test_a_move(world):
    old, new = world.peers["other"], world.peers["pixelfed"]
    here = old.serve_actor(old.person("/users/mover", "mover"))
    there = new.serve_actor(new.person("/users/mover", "mover", alsoKnownAs=[here]))
    before = world.follow(old, here)
    old.serve_actor(old.person("/users/mover", "mover", movedTo=there))
    old.send({"id": world.fresh(old), "type": "Move", "actor": here, "object": here,
              "target": there})
    follow = new.wait_got("Follow", lambda seen: seen["object"] == there)
    assert follow["actor"] == world.alice_uri
    old.wait_got("Undo", lambda seen: seen["object"]["object"] == here)
    assert not world.relation(before["id"])["following"]
    assert world.relation(world.find(there)["id"])["requested"]


def test_a_post_that_is_fetched_brings_what_it_answers(world):
    peer = world.peers["other"]
    author = peer.serve_actor(peer.person("/users/thread", "thread"))
    first = world.note(peer, author, "<p>first</p>")
    second = world.note(peer, author, "<p>second</p>", inReplyTo=first["id"],
                        url=[{"type": "Link", "mediaType": "text/html",
                              "href": peer.origin + "/@thread/2"}])
    for note in (first, second):
        peer.serve(note["id"], {"@context": AS, **note}, LD_JSON)
    found = world.find(second["id"], "statuses")
    assert found["content"] == "<p>second</p>" and found["url"] == peer.origin + "/@thread/2"
    thread = world.get(f"/api/v1/statuses/{found['id']}/context")
    assert [each["uri"] for each in thread["ancestors"]] == [first["id"]]


def test_everything_shown_has_the_shape_of_mastodon(world):
    """After all of the above: remote posts and accounts against the description of the API."""
    if not DESCRIPTION.exists():
        pytest.skip("mastodon-openapi.json is missing")
    checker = Checker(world.node, json.loads(DESCRIPTION.read_text()))
    home = checker.call("GET", "/api/v1/timelines/home", world.alice, params={"limit": 40})
    checker.call("GET", "/api/v1/notifications", world.alice)
    for post in home[:20]:
        checker.call("GET", "/api/v1/statuses/{id}", world.alice, ids=[post["id"]])
        checker.call("GET", "/api/v1/accounts/{id}", world.alice, ids=[post["account"]["id"]])
    assert not checker.wrong, checker.wrong[:5]


# --- follows ------------------------------------------------------------------------------------

def test_a_locked_account_elsewhere_is_asked(world):
    peer = world.peers["other"]
    uri = peer.serve_actor(peer.person("/users/shy", "shy", manuallyApprovesFollowers=True))
    account = world.find(uri)
    assert account["locked"]
    for verb, following in (("Accept", True), ("Reject", False)):
        shown = world.do(f"/api/v1/accounts/{account['id']}/follow")
        if verb == "Accept":
            assert shown["requested"] and not shown["following"]
            follow = peer.wait_got("Follow", lambda seen: seen["object"] == uri)
        time.sleep(0.5)
        if verb == "Accept":
            assert world.relation(account["id"])["requested"], "until it is answered"
        # Pleroma and Lemmy put the whole Follow into the answer, others its id.
        peer.send({"id": world.fresh(peer), "type": verb, "actor": uri,
                   "object": follow if verb == "Accept" else follow["id"]})
        relation = world.relation(account["id"])
        assert relation["following"] is following and not relation["requested"]


@pytest.mark.parametrize("decision", ["authorize", "reject"])
def test_a_locked_account_of_ours_decides(world, decision):
    peer = world.peers["other"]
    shy = world.node.create_account("shy_" + decision)
    world.call("PATCH", "/api/v1/accounts/update_credentials", shy, data={"locked": "true"})
    target = f"{world.node.web_url}/users/{shy.name}"
    uri = peer.serve_actor(peer.person(f"/users/fan_{decision}", f"fan_{decision}"))
    follow = peer.send({"id": world.fresh(peer), "type": "Follow", "actor": uri, "object": target})
    asking = world.get("/api/v1/follow_requests", shy)
    assert [each["acct"] for each in asking] == [f"fan_{decision}@{peer.name}"]
    assert not peer.got("Accept", lambda seen: seen["actor"] == target)
    assert [each["type"] for each in world.get("/api/v1/notifications", shy)] == ["follow_request"]
    relation = world.do(f"/api/v1/follow_requests/{asking[0]['id']}/{decision}", shy)
    assert relation["followed_by"] is (decision == "authorize")
    kind = "Accept" if decision == "authorize" else "Reject"
    answer = peer.wait_got(kind, lambda seen: seen["actor"] == target)
    told = answer["object"]
    assert (told if isinstance(told, str) else told["id"]) == follow["id"]
    assert world.get("/api/v1/follow_requests", shy) == []


@pytest.mark.parametrize("undone", ["whole", "by its id"])
def test_follows_and_boosts_of_others_are_taken_back(world, undone):
    peer = world.peers["akkoma"]
    cleo = peer.origin + "/users/cleo"
    account = world.follow(peer, cleo)
    post = world.publish(status="to be boosted")
    follow = peer.send({"id": world.fresh(peer), "type": "Follow", "actor": cleo,
                        "object": world.alice_uri, "to": [world.alice_uri], "cc": [], "state": "pending"})
    boost = peer.send({"id": world.fresh(peer), "type": "Announce", "actor": cleo, "object": post["uri"],
                       "to": [cleo + "/followers", world.alice_uri], "cc": [PUBLIC],
                       "published": moment()})
    assert world.relation(account["id"])["followed_by"]
    shown = world.status(post["id"])
    assert shown["reblogs_count"] == 1
    for kind, wanted in (("reblog", post["id"]), ("follow", None)):
        told = world.get("/api/v1/notifications", **{"types[]": kind})
        assert account["id"] in [each["account"]["id"] for each in told]
    for activity in (follow, boost):
        peer.send({"id": world.fresh(peer), "type": "Undo", "actor": cleo, "to": [PUBLIC],
                   "object": activity if undone == "whole" else activity["id"]})
    assert not world.relation(account["id"])["followed_by"]
    assert world.status(post["id"])["reblogs_count"] == 0


def test_an_account_of_mastodon_is_deleted(world):
    peer = world.peers["mastodon"]
    uri = peer.serve_actor(peer.person("/users/leaver", "leaver"))
    account = world.follow(peer, uri)
    note = world.create(peer, uri, world.note(peer, uri))
    post = world.posted(note["id"])
    peer.host.documents["/users/leaver"] = (410, {}, b"")
    peer.send({"id": uri + "#delete", "type": "Delete", "actor": uri, "to": [PUBLIC], "object": uri})
    world.call("GET", f"/api/v1/accounts/{account['id']}", status=404)
    world.call("GET", f"/api/v1/statuses/{post['id']}", status=404)
    assert note["id"] not in [each["uri"] for each in world.home()]


def test_a_block_ends_follows_and_is_told(world):
    peer = world.peers["other"]
    uri = peer.serve_actor(peer.person("/users/pest", "pest"))
    account = world.follow(peer, uri)
    peer.send({"id": world.fresh(peer), "type": "Follow", "actor": uri, "object": world.alice_uri})
    assert world.relation(account["id"])["followed_by"]
    relation = world.do(f"/api/v1/accounts/{account['id']}/block")
    assert relation["blocking"] and not relation["following"] and not relation["followed_by"]
    block = peer.wait_got("Block", lambda seen: seen["object"] == uri)
    assert block["actor"] == world.alice_uri
    world.do(f"/api/v1/accounts/{account['id']}/unblock")
    undo = peer.wait_got("Undo", lambda seen: seen["object"]["id"] == block["id"])
    assert undo["object"]["type"] == "Block"


def test_a_report_is_forwarded(world):
    peer = world.peers["other"]
    uri = peer.serve_actor(peer.person("/users/spammer", "spammer"))
    account = world.follow(peer, uri)
    note = world.create(peer, uri, world.note(peer, uri, "<p>buy</p>"))
    post = world.posted(note["id"])
    world.call("POST", "/api/v1/reports", data={
        "account_id": account["id"], "status_ids[]": post["id"], "comment": "spam", "forward": "true"})
    flag = peer.wait_got("Flag")
    assert flag["content"] == "spam" and set(flag["object"]) == {uri, note["id"]}
    assert flag["actor"] == f"{world.node.web_url}/actor", "who reports is not told"


# --- forwarding ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def thread(world):
    """Dora here, whom accounts of two servers follow; a third one answers her."""
    dora = world.node.create_account("dora")
    dora_uri = f"{world.node.web_url}/users/dora"
    followers = [world.peers["pixelfed"], world.peers["gts"]]
    names = {"pixelfed": "/users/fay", "gts": "/users/hal"}
    for server, path in names.items():
        peer = world.peers[server]
        peer.send({"id": world.fresh(peer), "type": "Follow", "actor": peer.origin + path,
                   "object": dora_uri})
        peer.wait_got("Accept", lambda seen: seen["actor"] == dora_uri)
    post = world.publish(dora, status="what do you think?")
    return dora_uri, post, followers


@pytest.mark.parametrize("why", ["addressed to the followers", "signed by itself"])
def test_replies_are_forwarded_and_so_are_their_deletes(world, thread, why):
    dora_uri, post, followers = thread
    peer = world.peers["mastodon"]
    ada = peer.origin + "/users/ada"
    note = world.note(peer, ada, "<p>I think</p>", inReplyTo=post["uri"],
                      cc=[ada + "/followers", dora_uri])
    create = {"@context": AS, "id": note["id"] + "/activity", "type": "Create", "actor": ada,
              "to": note["to"], "cc": note["cc"], "object": note}
    if why == "signed by itself":  # what Mastodon sends
        create["signature"] = {"type": "RsaSignature2017", "creator": ada + "#main-key",
                               "created": moment(), "signatureValue": "bm8gc2lnbmF0dXJl"}
    else:
        note["cc"].append(dora_uri + "/followers")
    peer.send(create)
    for follower in followers:
        seen = follower.wait_got("Create", lambda one: one["id"] == create["id"])
        assert seen == create, "as it came"
    delete = {"@context": AS, "id": note["id"] + "#delete", "type": "Delete", "actor": ada,
              "to": [PUBLIC], "object": {"id": note["id"], "type": "Tombstone"}}
    peer.send(delete)
    for follower in followers:
        assert follower.wait_got("Delete", lambda one: one["id"] == delete["id"]) == delete
    assert not peer.got("Create", lambda one: one["id"] == create["id"]), "not to where it came from"


# --- documents of ours --------------------------------------------------------------------------

def fetched(world, path, accept=ACTIVITY, content_type="application/activity+json"):
    answer = requests.get(world.node.web_url + path, headers={"Accept": accept}, timeout=30,
                          allow_redirects=False)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    assert answer.headers["Content-Type"].startswith(content_type), (path, answer.headers)
    return answer


@pytest.mark.parametrize("accept", [ACTIVITY, LD_JSON, f"{ACTIVITY}, {LD_JSON}",
                                    f'{LD_JSON}, {ACTIVITY}', f"{LD_JSON}, text/html;q=0.1"])
def test_our_actor_is_what_mastodon_reads(world, accept):
    answer = fetched(world, "/users/alice", accept)
    actor = answer.json()
    context = actor["@context"]
    assert AS in context and "https://w3id.org/security/v1" in context
    assert actor["id"] == world.alice_uri and actor["type"] == "Person"
    assert actor["preferredUsername"] == "alice"
    for member in ("inbox", "outbox", "followers", "following", "featured"):
        assert actor[member].startswith(world.alice_uri + "/"), member
    assert actor["endpoints"]["sharedInbox"] == world.inbox
    assert actor["url"] == f"{world.node.web_url}/@alice"
    assert actor["manuallyApprovesFollowers"] is False
    key = actor["publicKey"]
    assert key["id"] == world.alice_uri + "#main-key" and key["owner"] == world.alice_uri
    assert key["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    assert "Accept" in answer.headers["Vary"]
    assert datetime.datetime.fromisoformat(actor["published"].replace("Z", "+00:00"))


def test_our_instance_actor(world):
    actor = fetched(world, "/actor").json()
    assert actor["type"] == "Application" and actor["id"] == f"{world.node.web_url}/actor"
    assert actor["inbox"] and actor["outbox"] and actor["preferredUsername"]
    assert actor["publicKey"]["owner"] == actor["id"]
    assert fetched(world, "/actor/outbox").json()["type"] == "OrderedCollection"


def test_our_note_is_what_mastodon_reads(world):
    made = world.publish(status="Look, #Steam @alice https://example.org/x", spoiler_text="cw",
                         language="en")
    path = urllib.parse.urlsplit(made["uri"]).path
    note = fetched(world, path).json()
    assert AS in note["@context"] and note["type"] == "Note" and note["id"] == made["uri"]
    assert note["attributedTo"] == world.alice_uri and note["url"] == made["url"]
    assert note["to"] == [PUBLIC] and world.alice_uri + "/followers" in note["cc"]
    assert note["summary"] == "cw" and note["sensitive"] is True
    assert note["content"] == made["content"] and note["contentMap"] == {"en": note["content"]}
    assert note["published"].endswith("Z") and note["inReplyTo"] is None
    hashtag = [tag for tag in note["tag"] if tag["type"] == "Hashtag"][0]
    assert hashtag["name"].lower() == "#steam" and hashtag["href"].startswith(world.node.web_url)
    create = fetched(world, path + "/activity").json()
    assert create["type"] == "Create" and create["actor"] == world.alice_uri
    assert create["object"]["id"] == made["uri"] and create["to"] == note["to"]
    poll = fetched(world, urllib.parse.urlsplit(world.poll["uri"]).path).json()
    assert poll["type"] == "Question" and [each["name"] for each in poll["oneOf"]] == ["green", "black"]
    assert poll["endTime"] and "votersCount" in poll
    assert all(each["replies"]["type"] == "Collection" for each in poll["oneOf"])


@pytest.mark.parametrize("path", ["outbox", "followers", "following"])
def test_our_collections(world, path):
    whole = fetched(world, f"/users/alice/{path}").json()
    assert whole["@context"] and whole["type"] == "OrderedCollection"
    assert whole["id"] == f"{world.alice_uri}/{path}" and whole["totalItems"] >= 0
    page = fetched(world, urllib.parse.urlsplit(whole["first"]).path + "?" +
                   urllib.parse.urlsplit(whole["first"]).query).json()
    assert page["type"] == "OrderedCollectionPage" and page["partOf"] == whole["id"]
    assert isinstance(page["orderedItems"], list)


def test_our_featured_posts(world):
    post = world.publish(status="pinned")
    world.do(f"/api/v1/statuses/{post['id']}/pin")
    featured = fetched(world, "/users/alice/collections/featured").json()
    assert featured["type"] == "OrderedCollection" and featured["@context"]
    assert [each["id"] for each in featured["orderedItems"]] == [post["uri"]]
    assert featured["totalItems"] == 1


def test_our_webfinger_and_what_leads_to_it(world):
    resource = f"acct:alice@{world.node.domain}"
    answer = fetched(world, "/.well-known/webfinger?" + urllib.parse.urlencode({"resource": resource}),
                     "application/jrd+json", "application/jrd+json")
    jrd = answer.json()
    assert jrd["subject"] == resource and world.alice_uri in jrd["aliases"]
    links = {link["rel"]: link for link in jrd["links"]}
    assert links["self"] == {"rel": "self", "type": ACTIVITY, "href": world.alice_uri}
    assert links["http://webfinger.net/rel/profile-page"]["type"] == "text/html"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    meta = fetched(world, "/.well-known/host-meta", "*/*", "application/xrd+xml")
    assert 'rel="lrdd"' in meta.text and "webfinger?resource={uri}" in meta.text
    assert meta.headers["Access-Control-Allow-Origin"] == "*"


def test_our_nodeinfo(world):
    listed = fetched(world, "/.well-known/nodeinfo", "application/json", "application/json").json()
    newest = {link["rel"]: link["href"] for link in listed["links"]}[
        "http://nodeinfo.diaspora.software/ns/schema/2.0"]
    info = fetched(world, urllib.parse.urlsplit(newest).path, "application/json",
                   "application/json")
    assert info.headers["Access-Control-Allow-Origin"] == "*"
    told = info.json()
    assert told["version"] == "2.0" and told["protocols"] == ["activitypub"]
    assert told["software"]["name"] == "trunkline" and told["software"]["version"]
    assert told["usage"]["users"]["total"] >= 1 and isinstance(told["openRegistrations"], bool)
    assert told["services"] == {"inbound": [], "outbound": []} and "metadata" in told


def test_documents_may_be_read_by_pages_of_others(world):
    for path in ("/users/alice", urllib.parse.urlsplit(world.own["uri"]).path,
                 "/users/alice/outbox"):
        answer = fetched(world, path)
        assert answer.headers.get("Access-Control-Allow-Origin") == "*", path
