"""Federation with a server of other make: everything goes both ways, signatures checked by both."""

import json
import time

import pytest

from database import one
from fedify_peer import FedifyPeer, free_port
from node import Node, eventually

ACTIVITY = {"Accept": "application/activity+json"}


def federated_node(storage=None, **more):
    """A node whose ids can be fetched: they begin with its own address."""
    port = free_port()
    return Node(postgres=storage, domain=f"127.0.0.1:{port}", settings={
        "server.listen": f"127.0.0.1:{port}", "server.url": f"http://127.0.0.1:{port}",
        "federation.allow_addresses": ["127.0.0.0/8"], **more})


class Scene:
    """Alice here and bob there, who follow each other."""

    def __init__(self, node, peer):
        self.node, self.peer = node, peer
        self.alice = node.create_account("alice")
        self.alice_uri = f"{node.web_url}/users/alice"
        self.bob = self.find(peer.handle)

    def find(self, query, kind="accounts"):
        answer = self.node.get("/api/v2/search", self.alice,
                               params={"q": query, "resolve": "true", "limit": 1})
        assert answer.status_code == 200, answer.text
        found = answer.json()[kind]
        assert found, (query, answer.text, self.peer.log()[-2000:])
        return found[0]

    def do(self, path, **form):
        answer = self.node.post(path, self.alice, data=form)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def home(self):
        return self.node.get("/api/v1/timelines/home", self.alice).json()

    def in_home(self, uri):
        return eventually(lambda: [post for post in self.home() if post["uri"] == uri], 30)

    def notifications(self, kind):
        answer = self.node.get("/api/v1/notifications", self.alice, params={"types[]": kind})
        return answer.json()

    def relation(self):
        return self.node.get("/api/v1/accounts/relationships", self.alice,
                             params={"id[]": self.bob["id"]}).json()[0]

    def follow_each_other(self):
        self.do(f"/api/v1/accounts/{self.bob['id']}/follow")
        assert eventually(lambda: self.relation()["following"], 30), self.relation()
        follow = self.peer.do("follow", target=self.alice_uri)
        assert eventually(lambda: self.relation()["followed_by"], 30), self.relation()
        self.peer.wait_seen("Accept", lambda seen: follow in json.dumps(seen))
        return follow


@pytest.fixture(scope="module")
def peer():
    with FedifyPeer() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def scene(request, peer):
    storage = None
    if request.param == "postgres":
        storage = request.getfixturevalue("postgres_server").url("fedify")
    with federated_node(storage) as node:
        made = Scene(node, peer)
        made.follow_each_other()
        yield made


def test_follow_both_ways(scene):
    assert scene.alice_uri in scene.peer.ask("followers")
    follow = scene.peer.wait_seen("Follow")
    assert follow["actor"] == scene.alice_uri
    assert [one["account"]["id"] for one in scene.notifications("follow")] == [scene.bob["id"]]
    assert scene.bob["display_name"] == "Bob of Fedify"
    assert scene.bob["acct"] == scene.peer.handle


def test_posts_edits_and_deletes_go_out(scene):
    made = scene.do("/api/v1/statuses", status="Hello, bob #greeting")
    create = scene.peer.wait_seen("Create", lambda seen: seen["object"]["id"] == made["uri"])
    assert "Hello, bob" in create["object"]["content"]
    answer = scene.node.request("PUT", f"/api/v1/statuses/{made['id']}", scene.alice,
                                data={"status": "Hello again"})
    assert answer.status_code == 200, answer.text
    update = scene.peer.wait_seen("Update", lambda seen: seen["object"]["id"] == made["uri"])
    assert "Hello again" in update["object"]["content"]
    answer = scene.node.request("DELETE", f"/api/v1/statuses/{made['id']}", scene.alice)
    assert answer.status_code == 200, answer.text
    scene.peer.wait_seen("Delete", lambda seen: seen["object"]["id"] == made["uri"])


def test_posts_edits_and_deletes_come_in(scene):
    uri = scene.peer.do("post", content="<p>Hi <script>alert(1)</script><b>alice</b></p>",
                        mentions=[scene.alice_uri])
    shown = scene.in_home(uri)
    assert shown, scene.home()
    assert "script" not in shown[0]["content"] and "Hi" in shown[0]["content"]
    assert [one["status"]["uri"] for one in scene.notifications("mention")][:1] == [uri]
    scene.peer.do("edit", id=uri, content="<p>edited</p>")
    assert eventually(lambda: "edited" in scene.in_home(uri)[0]["content"], 30)
    scene.peer.do("remove", id=uri)
    assert eventually(lambda: uri not in [post["uri"] for post in scene.home()], 30)


def test_replies_both_ways(scene):
    made = scene.do("/api/v1/statuses", status="What do you think?")
    scene.peer.wait_seen("Create", lambda seen: seen["object"]["id"] == made["uri"])
    uri = scene.peer.do("post", content="<p>Nothing</p>", reply_to=made["uri"],
                        mentions=[scene.alice_uri])
    assert scene.in_home(uri)
    thread = eventually(lambda: scene.node.get(f"/api/v1/statuses/{made['id']}/context",
                                               scene.alice).json()["descendants"], 30)
    assert [one["uri"] for one in thread] == [uri]
    answered = scene.do("/api/v1/statuses", status=f"@{scene.peer.handle} I see",
                        in_reply_to_id=thread[0]["id"])
    create = scene.peer.wait_seen("Create", lambda seen: seen["object"]["id"] == answered["uri"])
    assert create["object"]["inReplyTo"] == uri


def test_likes_and_boosts_go_out_and_are_taken_back(scene):
    uri = scene.peer.do("post", content="<p>Like me</p>")
    post = scene.in_home(uri)[0]
    for verb, undone, kind in (("favourite", "unfavourite", "Like"), ("reblog", "unreblog", "Announce")):
        scene.do(f"/api/v1/statuses/{post['id']}/{verb}")
        scene.peer.wait_seen(kind, lambda seen: seen["object"] == uri)
        before = len(scene.peer.seen("Undo"))
        scene.do(f"/api/v1/statuses/{post['id']}/{undone}")
        assert eventually(lambda: len(scene.peer.seen("Undo")) > before, 30)


def test_likes_and_boosts_come_in_and_are_taken_back(scene):
    made = scene.do("/api/v1/statuses", status="Like me, too")

    def counts():
        post = scene.node.get(f"/api/v1/statuses/{made['id']}", scene.alice).json()
        return post["favourites_count"], post["reblogs_count"]

    wish = {"object": made["uri"], "target": scene.alice_uri}
    like = scene.peer.do("like", **wish)
    boost = scene.peer.do("boost", **wish)
    assert eventually(lambda: counts() == (1, 1), 30), counts()
    for kind in ("favourite", "reblog"):
        assert [one["status"]["id"] for one in scene.notifications(kind)][:1] == [made["id"]]
    scene.peer.do("unlike", id=like, **wish)
    scene.peer.do("unboost", id=boost, **wish)
    assert eventually(lambda: counts() == (0, 0), 30), counts()


def test_polls_go_out_and_votes_come_in(scene):
    made = scene.do("/api/v1/statuses", **{"status": "Which?", "poll[options][]": ["red", "blue"],
                                           "poll[expires_in]": 3600})
    create = scene.peer.wait_seen("Create", lambda seen: seen["object"]["id"] == made["uri"])
    assert create["object"]["type"] == "Question"
    scene.peer.do("vote", poll=made["uri"], option="blue", target=scene.alice_uri)

    def votes():
        post = scene.node.get(f"/api/v1/statuses/{made['id']}", scene.alice).json()
        return [option["votes_count"] for option in post["poll"]["options"]]

    assert eventually(lambda: votes() == [0, 1], 30), votes()


def test_polls_come_in_and_votes_go_out(scene):
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    uri = scene.peer.do("post", content="<p>Tea or coffee?</p>", options=["tea", "coffee"], ends=ends)
    post = scene.in_home(uri)[0]
    assert [one["title"] for one in post["poll"]["options"]] == ["tea", "coffee"]
    scene.do(f"/api/v1/polls/{post['poll']['id']}/votes", **{"choices[]": [1]})
    assert eventually(lambda: scene.peer.ask("post", {"id": uri})["options"][1]["votes"] == 1, 30)
    scene.peer.do("count", id=uri)

    def votes():
        shown = scene.node.get(f"/api/v1/statuses/{post['id']}", scene.alice).json()
        return [option["votes_count"] for option in shown["poll"]["options"]]

    assert eventually(lambda: votes() == [0, 1], 30), votes()


@pytest.mark.parametrize("spec", ["draft-cavage-http-signatures-12", "rfc9421"])
def test_what_was_tampered_with_is_refused_here(scene, spec):
    body = {"@context": "https://www.w3.org/ns/activitystreams", "type": "Like",
            "id": f"{scene.peer.origin}/forged/{spec}", "actor": scene.peer.actor,
            "object": scene.do("/api/v1/statuses", status="a target")["uri"]}
    forged = {**body, "object": scene.alice_uri}
    inbox = scene.node.web_url + "/inbox"
    for target in (inbox, scene.alice_uri + "/inbox"):
        answer = scene.peer.do("forge", inbox=target, body=body, sent_body=forged, spec=spec)
        assert answer["status"] == 401, answer
    assert one(scene.node, "SELECT COUNT(*) FROM inbox_log WHERE ap_id = ?", (body["id"],)) == 0
    # The same request, as it was signed, is taken.
    answer = scene.peer.do("forge", inbox=inbox, body=body, spec=spec)
    assert answer["status"] == 202, answer


def test_what_was_tampered_with_is_refused_there(scene):
    """Fedify takes our requests as they are, and none that was changed on its way."""
    import requests
    sent = [one for one in scene.peer.ask("requests") if one["status"] == 202]
    assert sent, scene.peer.ask("requests")
    genuine = sent[-1]
    headers = {name: value for name, value in genuine["headers"].items()
               if name not in ("content-length", "connection", "accept-encoding")}
    body = json.loads(genuine["body"])
    body["id"] = body["id"] + "-forged"
    answer = requests.post(scene.peer.origin + genuine["path"], headers=headers,
                           data=json.dumps(body), timeout=30)
    assert answer.status_code == 401, answer.text


def test_our_documents_are_read_by_the_peer(scene):
    made = scene.do("/api/v1/statuses", status="Look me up")
    found = scene.peer.do("lookup", address=made["uri"])
    assert found["id"] == made["uri"] and found["type"] == "Note"
    actor = scene.peer.do("lookup", address=f"acct:alice@127.0.0.1:{scene.node.web_url.rsplit(':')[-1]}")
    assert actor is None or actor["id"] == scene.alice_uri


def test_unfollow_both_ways(scene):
    """The last one: afterwards nobody follows anybody."""
    scene.do(f"/api/v1/accounts/{scene.bob['id']}/unfollow")
    assert eventually(lambda: scene.alice_uri not in scene.peer.ask("followers"), 30)
    follows = [one for one in scene.peer.ask("requests") if json.loads(one["body"])["type"] == "Accept"]
    follow = json.loads(follows[-1]["body"])["object"]
    scene.peer.do("unfollow", id=follow if isinstance(follow, str) else follow["id"],
                  target=scene.alice_uri)
    assert eventually(lambda: not scene.relation()["followed_by"], 30)


def test_a_post_arrives_although_the_node_was_killed_before_the_first_send(storage):
    for attempt in range(5):
        with FedifyPeer() as peer, federated_node(storage) as node:
            made = Scene(node, peer)
            made.follow_each_other()
            node.settings["test.kill_at"] = "delivery_send"
            node.stop()
            node.write_config()
            node.start()
            answered = None
            try:
                answered = node.post("/api/v1/statuses", made.alice, data={"status": "Survive me"})
            except OSError:
                pass  # the kill came before the answer: once more from the start
            assert eventually(lambda: not node.is_running(), 30), "the point was never reached"
            assert not [one for one in peer.seen("Create")]
            if answered is None or answered.status_code != 200:
                continue
            del node.settings["test.kill_at"]
            node.kill()
            node.write_config()
            node.start()
            uri = answered.json()["uri"]
            peer.wait_seen("Create", lambda seen: seen["object"]["id"] == uri)
            return
    raise AssertionError("the kill came before the answer five times")
