"""The client API on a real node over real HTTP: what each endpoint does, and what it refuses."""

import re

import pytest
import requests

from database import one, picture, rows
from node import Node, eventually

HOME = "/api/v1/timelines/home"
STATUSES = "/api/v1/statuses"


def publish(node, account, text="hello", **more):
    answer = node.post(STATUSES, account, json={"status": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def show(node, id, account=None):
    return node.get(f"{STATUSES}/{id}", account)


def act(node, account, verb, target, **more):
    answer = node.post(f"/api/v1/accounts/{target.id}/{verb}", account, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def home(node, account, **params):
    answer = node.get(HOME, account, params=params)
    assert answer.status_code == 200, answer.text
    return [status["id"] for status in answer.json()]


def refused(answer, status):
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert isinstance(answer.json()["error"], str) and answer.json()["error"]


@pytest.fixture
def people(node):
    made = [node.create_account(name) for name in ("alice", "bob", "carol")]
    assert all(account.token for account in made), "made here, so that tests can count rows"
    return made


# --- posts -----------------------------------------------------------------------------------------


def test_a_post_is_shown_edited_and_deleted(node, people):
    alice, bob, _ = people
    made = publish(node, alice, "first #Tag @bob", spoiler_text="care", language="en",
                   visibility="unlisted", sensitive=True)
    assert made["spoiler_text"] == "care" and made["visibility"] == "unlisted"
    assert made["sensitive"] is True and made["language"] == "en"
    assert [tag["name"].lower() for tag in made["tags"]] == ["tag"]
    assert [named["acct"] for named in made["mentions"]] == ["bob"]
    path = f"{STATUSES}/{made['id']}"
    assert node.get(path, bob).json()["content"] == made["content"]
    source = node.get(path + "/source", alice).json()
    assert source == {"id": made["id"], "text": "first #Tag @bob", "spoiler_text": "care"}

    edited = node.request("PUT", path, alice, data={"status": "second"}).json()
    assert edited["id"] == made["id"] and "second" in edited["content"]
    assert edited["edited_at"] and edited["mentions"] == [] and edited["tags"] == []
    versions = node.get(path + "/history", bob).json()
    assert [("first" in version["content"], "second" in version["content"])
            for version in versions] == [(True, False), (False, True)]
    assert versions[0]["created_at"] == made["created_at"]
    assert versions[1]["created_at"] == edited["edited_at"]

    gone = node.request("DELETE", path, alice)
    assert gone.status_code == 200 and gone.json()["text"] == "second"
    for suffix in ("", "/context", "/source", "/history"):
        refused(node.get(path + suffix, alice), 404)
    refused(node.request("DELETE", path, alice), 404)


def test_a_post_may_come_as_form_json_or_multipart(node, people):
    alice = people[0]
    for sent in ({"data": {"status": "x y", "sensitive": "true"}},
                 {"json": {"status": "x y", "sensitive": True}},
                 {"files": {"status": (None, "x y"), "sensitive": (None, "1")}}):
        answer = node.post(STATUSES, alice, **sent)
        assert answer.status_code == 200, answer.text
        assert "x y" in answer.json()["content"] and answer.json()["sensitive"] is True


def test_an_idempotency_key_makes_one_post(node, people):
    alice, bob, _ = people
    key = {"Idempotency-Key": "7b7f"}
    first = node.post(STATUSES, alice, data={"status": "once"}, headers=key).json()
    again = node.post(STATUSES, alice, data={"status": "once"}, headers=key).json()
    assert first["id"] == again["id"]
    assert node.post(STATUSES, bob, data={"status": "mine"}, headers=key).json()["id"] != first["id"]
    assert one(node, "SELECT COUNT(*) FROM post") == 2
    refused(node.post(STATUSES, alice, data={"status": "x"},
                      headers={"Idempotency-Key": "k" * 256}), 422)


def test_what_is_refused_changes_nothing_and_says_why(node, people):
    alice, bob, _ = people
    own = publish(node, alice)
    before = picture(node)
    long = "x" * 501
    for fields in ({"status": ""}, {"status": "  \n"}, {}, {"status": long},
                   {"status": "x" * 300, "spoiler_text": "y" * 201},
                   {"status": "x", "visibility": "everyone"}, {"status": "x", "sensitive": "maybe"},
                   {"status": "x", "media_ids": ["1"]}, {"status": "x", "scheduled_at": "2030-01-01"},
                   {"status": "x", "poll": {"options": ["a"], "expires_in": 300}},
                   {"status": "x", "in_reply_to_id": "one"}, {"status": ["a", "b"]}):
        refused(node.post(STATUSES, alice, json=fields), 422)
    assert "can't be blank" in node.post(STATUSES, alice, json={"status": ""}).json()["error"]
    refused(node.post(STATUSES, alice, json={"status": "x", "in_reply_to_id": "12345"}), 404)
    refused(node.post(STATUSES, alice, data='{"status":', headers={"Content-Type":
                                                                   "application/json"}), 400)
    refused(node.post(STATUSES, None, json={"status": "x"}), 401)
    path = f"{STATUSES}/{own['id']}"
    refused(node.request("PUT", path, bob, json={"status": "x"}), 404)
    refused(node.request("PUT", path, alice, json={"status": ""}), 422)
    refused(node.request("PUT", path, alice, json={"status": long}), 422)
    refused(node.request("DELETE", path, bob), 404)
    refused(node.request("DELETE", path), 401)
    for id in ("0", "-1", "1e3", "99999999999999999999", "x", "12345", "%20", "1.0"):
        for method, suffix in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/context"),
                               ("POST", "/reblog"), ("POST", "/unreblog")):
            refused(node.request(method, f"{STATUSES}/{id}{suffix}", alice, json={"status": "x"}),
                    404)
    assert picture(node) == before


def test_a_boost_is_a_status_of_its_own_and_is_taken_back(node, people):
    alice, bob, _ = people
    made = publish(node, alice)
    boost = node.post(f"{STATUSES}/{made['id']}/reblog", bob).json()
    assert boost["id"] != made["id"] and boost["account"]["acct"] == "bob"
    assert boost["reblog"]["id"] == made["id"]
    assert boost["reblog"]["reblogged"] is True and boost["reblog"]["reblogs_count"] == 1
    assert node.post(f"{STATUSES}/{made['id']}/reblog", bob).json()["id"] == boost["id"]
    again = node.post(f"{STATUSES}/{boost['id']}/reblog", alice).json()
    assert again["reblog"]["id"] == made["id"], "boosting a boost boosts the post"
    back = node.post(f"{STATUSES}/{made['id']}/unreblog", bob).json()
    assert back["id"] == made["id"] and back["reblogged"] is False and back["reblogs_count"] == 1
    refused(show(node, boost["id"], bob), 404)
    private = publish(node, alice, visibility="private")
    before = picture(node)
    assert node.post(f"{STATUSES}/{private['id']}/reblog", bob).status_code == 404
    assert picture(node) == before


def test_context_is_the_thread_in_reading_order(node, people):
    alice, bob, _ = people
    root = publish(node, alice, "root")
    first = publish(node, bob, "1", in_reply_to_id=root["id"])
    second = publish(node, alice, "2", in_reply_to_id=root["id"])
    deep = publish(node, alice, "1.1", in_reply_to_id=first["id"])
    hidden = publish(node, bob, "hidden", in_reply_to_id=first["id"], visibility="direct")
    thread = node.get(f"{STATUSES}/{root['id']}/context").json()
    assert thread["ancestors"] == []
    assert [status["id"] for status in thread["descendants"]] == [first["id"], deep["id"],
                                                                   second["id"]]
    assert hidden["id"] not in str(thread)
    below = node.get(f"{STATUSES}/{deep['id']}/context", alice).json()
    assert [status["id"] for status in below["ancestors"]] == [root["id"], first["id"]]
    assert node.get(f"{STATUSES}/{root['id']}").json()["replies_count"] == 2
    assert deep["in_reply_to_id"] == first["id"] and deep["in_reply_to_account_id"] == bob.id


def test_several_statuses_are_shown_at_once_and_what_is_hidden_is_left_out(node, people):
    alice, bob, _ = people
    ids = [publish(node, alice)["id"], publish(node, alice, visibility="private")["id"]]
    asked = [("id[]", id) for id in ids + ["12345", "x"]]
    assert [status["id"] for status in node.get(STATUSES, bob, params=asked).json()] == ids[:1]
    assert [status["id"] for status in node.get(STATUSES, alice, params=asked).json()] == ids


# --- who sees what (I7) -----------------------------------------------------------------------------


def test_I7_a_hidden_post_is_answered_like_one_that_does_not_exist(node, people):
    alice, bob, carol = people
    dave = node.create_account("dave")
    act(node, bob, "follow", alice)
    act(node, dave, "follow", alice)
    posts = {word: publish(node, alice, f"{word} @carol" if word == "direct" else word,
                           visibility=word)["id"]
             for word in ("public", "unlisted", "private", "direct")}
    act(node, alice, "block", dave)
    seers = {"public": {None, alice, bob, carol}, "unlisted": {None, alice, bob, carol},
             "private": {alice, bob}, "direct": {alice, carol}}
    for word, id in posts.items():
        for viewer in (None, alice, bob, carol, dave):
            for suffix in ("", "/context", "/history"):
                answer = node.get(f"{STATUSES}/{id}{suffix}", viewer)
                nothing = node.get(f"{STATUSES}/4711{suffix}", viewer)
                if viewer in seers[word]:
                    assert answer.status_code == 200, (word, viewer and viewer.name)
                    continue
                assert answer.status_code == 404, (word, viewer and viewer.name)
                assert answer.text == nothing.text
        for viewer in (bob, carol, dave):
            listed = node.get(f"/api/v1/accounts/{alice.id}/statuses", viewer).json()
            assert (id in [status["id"] for status in listed]) == (viewer in seers[word])
        page = requests.get(f"{node.web_url}/@alice/{id}")
        assert page.status_code == (200 if None in seers[word] else 404)
    refused(node.post(STATUSES, carol, json={"status": "x", "in_reply_to_id": posts["private"]}), 404)


# --- accounts and relations -------------------------------------------------------------------------


def test_accounts_are_found_by_id_and_by_name(node, people):
    alice, bob, _ = people
    shown = node.get(f"/api/v1/accounts/{bob.id}").json()
    assert shown["acct"] == "bob" and shown["uri"] == "https://trunkline.example/users/bob"
    for name in ("bob", "BOB", "bob@trunkline.example", "Bob@TRUNKLINE.example"):
        assert node.get("/api/v1/accounts/lookup", params={"acct": name}).json()["id"] == bob.id
    for name in ("nobody", "bob@elsewhere.example", "", "@bob", "bob@"):
        answer = node.get("/api/v1/accounts/lookup", params={"acct": name})
        assert answer.status_code == (200 if name == "bob@" else 404) or name == "bob@", name
    refused(node.get("/api/v1/accounts/4711"), 404)
    me = node.get("/api/v1/accounts/verify_credentials", alice).json()
    assert me["id"] == alice.id and me["source"]["privacy"] == "public"


def test_I6_follows_mutes_and_blocks_take_effect_with_their_answer(node, people):
    alice, bob, carol = people
    theirs = act(node, alice, "follow", bob, json={"reblogs": False, "notify": True,
                                                   "languages": ["en"]})
    assert (theirs["following"], theirs["showing_reblogs"], theirs["notifying"]) == (True, False, True)
    assert theirs["languages"] == ["en"]
    assert act(node, alice, "follow", bob, json={"reblogs": True})["showing_reblogs"] is True
    post = publish(node, bob, language="en")["id"]
    assert home(node, alice) == [post]
    muted = act(node, alice, "mute", bob, data={"notifications": "false", "duration": "3600"})
    assert muted["muting"] and not muted["muting_notifications"] and muted["muting_expires_at"]
    assert home(node, alice) == []
    assert act(node, alice, "unmute", bob)["muting"] is False
    assert home(node, alice) == [post]
    assert act(node, alice, "unfollow", bob)["following"] is False
    assert home(node, alice) == []

    act(node, alice, "follow", bob)
    act(node, bob, "follow", alice)
    seen = act(node, bob, "block", alice)
    assert seen["blocking"] and not seen["following"] and not seen["followed_by"]
    other = node.get("/api/v1/accounts/relationships", alice, params={"id[]": [bob.id]}).json()[0]
    assert other["blocked_by"] and not other["following"]
    assert home(node, alice) == []
    refused(show(node, post, alice), 404)
    refused(node.post(f"/api/v1/accounts/{bob.id}/follow", alice), 403)
    assert act(node, bob, "unblock", alice)["blocking"] is False
    assert show(node, post, alice).status_code == 200
    both = node.get("/api/v1/accounts/relationships", alice,
                    params={"id[]": [carol.id, "4711", bob.id]}).json()
    assert [relation["id"] for relation in both] == [carol.id, bob.id]


def test_a_locked_account_is_asked_first(node, people):
    alice, bob, _ = people
    rows(node, "UPDATE account SET locked = 1 WHERE id = ?", (int(bob.id),))
    asked = act(node, alice, "follow", bob)
    assert asked["requested"] is True and asked["following"] is False
    assert act(node, alice, "unfollow", bob)["requested"] is False


def test_relations_that_cannot_be_are_refused_and_change_nothing(node, people):
    alice, bob, _ = people
    before = picture(node)
    for verb in ("follow", "unfollow", "block", "unblock", "mute", "unmute"):
        refused(node.post(f"/api/v1/accounts/4711/{verb}", alice), 404)
        refused(node.post(f"/api/v1/accounts/{bob.id}/{verb}"), 401)
    assert node.post(f"/api/v1/accounts/{alice.id}/follow", alice).status_code in (403, 404)
    for verb in ("block", "mute"):  # as in Mastodon: answered, and without effect
        assert not act(node, alice, verb, alice)[verb.rstrip("e") + "ing"]
    refused(node.post(f"/api/v1/accounts/{bob.id}/mute", alice, data={"duration": "-5"}), 422)
    refused(node.post(f"/api/v1/accounts/{bob.id}/follow", alice, data={"reblogs": "perhaps"}), 422)
    assert picture(node) == before


def test_the_posts_of_an_account_are_listed_by_what_is_asked(node, people):
    alice, bob, _ = people
    plain = publish(node, alice, "plain #one")["id"]
    own_reply = publish(node, alice, "to myself", in_reply_to_id=plain)["id"]
    theirs = publish(node, bob, "theirs")["id"]
    reply = publish(node, alice, "to bob", in_reply_to_id=theirs)["id"]
    boost = node.post(f"{STATUSES}/{theirs}/reblog", alice).json()["id"]
    path = f"/api/v1/accounts/{alice.id}/statuses"

    def listed(**params):
        answer = node.get(path, bob, params=params)
        assert answer.status_code == 200, answer.text
        return [status["id"] for status in answer.json()]

    everything = [boost, reply, own_reply, plain]
    assert listed() == everything
    assert listed(exclude_replies="true") == [boost, own_reply, plain]
    assert listed(exclude_reblogs="true") == [reply, own_reply, plain]
    assert listed(tagged="ONE") == [plain] and listed(tagged="none") == []
    assert listed(only_media="true") == [] and listed(pinned="true") == []
    rows(node, "INSERT INTO medium(id, author, post_id, kind, url, created_at)"
               " VALUES (1, ?, ?, 1, 'https://m.example/1.png', 0)", (int(alice.id), int(reply)))
    rows(node, "INSERT INTO pin(account_id, post_id, at) VALUES (?, ?, 0)",
         (int(alice.id), int(plain)))
    assert listed(only_media="true") == [reply] and listed(pinned="true") == [plain]
    assert listed(limit=1) == [boost]
    assert listed(max_id=reply) == [own_reply, plain]
    assert listed(since_id=own_reply) == [boost, reply]
    assert listed(min_id=plain, limit=1) == [own_reply]
    refused(node.get(path, bob, params={"max_id": "abc"}), 422)
    refused(node.get("/api/v1/accounts/4711/statuses"), 404)


# --- home and paging --------------------------------------------------------------------------------


def test_home_is_read_in_pages_that_neither_skip_nor_double(node, people):
    alice, bob, _ = people
    act(node, alice, "follow", bob)
    ids = [publish(node, bob, str(i))["id"] for i in range(45)][::-1]
    assert home(node, alice) == ids[:20], "20 unless asked otherwise"
    assert home(node, alice, limit=1000) == ids[:40], "40 at most"
    assert home(node, alice, limit=5, max_id=ids[4]) == ids[5:10]
    assert home(node, alice, limit=5, since_id=ids[20]) == ids[:5]
    assert home(node, alice, limit=5, min_id=ids[20]) == ids[15:20]
    seen, answer = [], node.get(HOME, alice, params={"limit": 7})
    while answer.json():
        seen += [status["id"] for status in answer.json()]
        next_page = answer.links["next"]["url"]
        assert next_page.startswith("https://trunkline.example" + HOME + "?")
        assert "limit=7" in next_page
        answer = node.get(next_page.removeprefix("https://trunkline.example"), alice)
    assert seen == ids and "Link" not in answer.headers
    newest = publish(node, bob, "new")["id"]
    first = node.get(HOME, alice, params={"limit": 3, "max_id": newest})
    previous = first.links["prev"]["url"].removeprefix("https://trunkline.example")
    assert [status["id"] for status in node.get(previous, alice).json()] == [newest]
    for wrong in ({"max_id": "x"}, {"since_id": "1'"}, {"min_id": "-1"}, {"limit": "many"}):
        refused(node.get(HOME, alice, params=wrong), 422)


# --- every key tells the truth ----------------------------------------------------------------------

STATUS_KEYS = {
    "id", "created_at", "in_reply_to_id", "in_reply_to_account_id", "sensitive", "spoiler_text",
    "visibility", "language", "uri", "url", "replies_count", "reblogs_count", "favourites_count",
    "quotes_count", "edited_at", "favourited", "reblogged", "muted", "bookmarked", "pinned",
    "content", "filtered", "reblog", "application", "account", "media_attachments", "mentions",
    "tags", "emojis", "quote", "card", "poll", "quote_approval"}

ACCOUNT_KEYS = {
    "id", "username", "acct", "display_name", "locked", "bot", "discoverable", "indexable", "group",
    "created_at", "note", "url", "uri", "avatar", "avatar_static", "header", "header_static",
    "followers_count", "following_count", "statuses_count", "last_status_at", "hide_collections",
    "emojis", "fields", "noindex", "roles"}


def test_every_key_of_a_status_follows_the_state_behind_it(node, people):
    alice, bob, _ = people
    app = node.post("/api/v1/apps", data={"client_name": "Pen", "website": "https://pen.example",
                                          "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}).json()
    id = publish(node, alice, "hello")["id"]
    shown = show(node, id, alice).json()
    assert set(shown) == STATUS_KEYS
    assert set(show(node, id, bob).json()) == STATUS_KEYS - {"pinned"}
    assert set(show(node, id).json()) == STATUS_KEYS - {
        "pinned", "favourited", "reblogged", "muted", "bookmarked", "filtered"}
    number, mine = int(id), int(alice.id)
    changes = [
        ("INSERT INTO favourite(account_id, post_id, at) VALUES (?, ?, 0)", (mine, number),
         {"favourited": True, "favourites_count": 1}),
        ("INSERT INTO bookmark(account_id, post_id, at) VALUES (?, ?, 0)", (mine, number),
         {"bookmarked": True}),
        ("INSERT INTO pin(account_id, post_id, at) VALUES (?, ?, 0)", (mine, number),
         {"pinned": True}),
        ("UPDATE post SET sensitive = 1 WHERE id = ?", (number,), {"sensitive": True}),
        ("UPDATE post SET spoiler = 'care' WHERE id = ?", (number,), {"spoiler_text": "care"}),
        ("UPDATE post SET language = 'nl' WHERE id = ?", (number,), {"language": "nl"}),
        ("UPDATE post SET html = '<p>x</p>' WHERE id = ?", (number,), {"content": "<p>x</p>"}),
        ("UPDATE post SET visibility = 2 WHERE id = ?", (number,), {"visibility": "unlisted"}),
        ("UPDATE post SET app_id = ? WHERE id = ?", (int(app["id"]), number),
         {"application": {"name": "Pen", "website": "https://pen.example"}}),
        ("UPDATE post SET created_at = 0 WHERE id = ?", (number,),
         {"created_at": "1970-01-01T00:00:00.000Z"}),
        ("UPDATE post SET edited_at = 1000000 WHERE id = ?", (number,),
         {"edited_at": "1970-01-01T00:00:01.000Z"}),
        ("UPDATE post SET reply_to = 77, reply_author = 78 WHERE id = ?", (number,),
         {"in_reply_to_id": "77", "in_reply_to_account_id": "78"}),
        ("INSERT INTO mention(post_id, account_id) VALUES (?, ?)", (number, int(bob.id)),
         {"mentions": [{"id": bob.id, "username": "bob", "acct": "bob",
                        "url": "https://trunkline.example/@bob"}]}),
        ("UPDATE post SET uri = 'https://x.example/1' WHERE id = ?", (number,),
         {"uri": "https://x.example/1"}),
    ]
    for sql, values, expected in changes:
        assert {key: shown[key] for key in expected} != expected, sql
        rows(node, sql, values)
        if "favourites_count" in expected:
            log_favourite(node, mine, number)
        shown = eventually(lambda: fresh(node, id, alice, expected))
        assert {key: shown[key] for key in expected} == expected, sql

    rows(node, "INSERT INTO medium(id, author, post_id, kind, url, description, created_at)"
               " VALUES (5, ?, ?, 1, 'https://m.example/1.png', 'a cat', 0)", (mine, number))
    medium = show(node, id).json()["media_attachments"][0]
    assert (medium["id"], medium["type"], medium["description"]) == ("5", "image", "a cat")
    assert medium["url"] == "https://m.example/1.png"
    rows(node, "INSERT INTO tag(id, folded, name) VALUES (9, 'cats', 'Cats')")
    rows(node, "INSERT INTO post_tag(tag_id, post_id) VALUES (9, ?)", (number,))
    assert show(node, id).json()["tags"][0]["name"] == "Cats"


def fresh(node, id, account, expected):
    """The status, once `expected` holds: the node finds a row of the log that is not its own in a second."""
    shown = show(node, id, account).json()
    return shown if {key: shown[key] for key in expected} == expected else None


def log_favourite(node, account, post):
    """The row without which no node counts a favourite anew."""
    rows(node, "INSERT INTO log(seq, at, kind, author, object_key, class, public)"
               " SELECT MAX(seq) + 1, 0, 6, ?, ?, 2, 1 FROM log", (account, f"l/{account}/{post}"))


def test_counts_come_from_memory_and_are_never_older_than_the_answer(node, people):
    alice, bob, _ = people
    id = publish(node, alice, "hello")["id"]
    path = f"/api/v1/accounts/{alice.id}"
    hits = 'trunkline_cache_hits_total{cache="count"}'

    def comes_from_memory():
        before = node.metrics()[hits]
        assert node.get(path).json()["statuses_count"] == 1
        return node.metrics()[hits] > before

    assert eventually(comes_from_memory)
    for _ in range(20):
        act(node, bob, "follow", alice)
        assert node.get(path).json()["followers_count"] == 1
        assert node.post(f"{STATUSES}/{id}/reblog", bob).status_code == 200
        assert show(node, id).json()["reblogs_count"] == 1
        act(node, bob, "unfollow", alice)
        assert node.get(path).json()["followers_count"] == 0
        assert node.post(f"{STATUSES}/{id}/unreblog", bob).status_code == 200
        assert show(node, id).json()["reblogs_count"] == 0


def test_the_poll_of_a_status_follows_the_votes(node, people):
    alice, bob, carol = people
    id = publish(node, alice, "which?")["id"]
    rows(node, "INSERT INTO poll(post_id, options, multiple, hide_totals, expires_at)"
               " VALUES (?, '[\"a\",\"b\"]', 1, 1, 4102444800000000)", (int(id),))
    poll = show(node, id, bob).json()["poll"]
    assert (poll["multiple"], poll["expired"], poll["votes_count"]) == (True, False, 0)
    assert poll["expires_at"] == "2100-01-01T00:00:00.000Z" and poll["voted"] is False
    assert [option["title"] for option in poll["options"]] == ["a", "b"]
    for voter, choice in ((bob, 0), (bob, 1), (carol, 1)):
        rows(node, "INSERT INTO poll_vote(post_id, account_id, choice) VALUES (?, ?, ?)",
             (int(id), int(voter.id), choice))
    poll = show(node, id, bob).json()["poll"]
    assert (poll["votes_count"], poll["voters_count"], poll["voted"]) == (3, 2, True)
    assert poll["own_votes"] == [0, 1]
    assert [option["votes_count"] for option in poll["options"]] == [None, None], "hidden till the end"
    rows(node, "UPDATE poll SET expires_at = 1")
    poll = show(node, id, carol).json()["poll"]
    assert [option["votes_count"] for option in poll["options"]] == [1, 2]
    assert poll["expired"] is True and poll["own_votes"] == [1]


def test_every_key_of_an_account_follows_the_state_behind_it(node, people):
    alice, bob, _ = people
    path = f"/api/v1/accounts/{alice.id}"
    shown = node.get(path).json()
    assert set(shown) == ACCOUNT_KEYS
    assert shown["followers_count"] == shown["statuses_count"] == 0
    act(node, bob, "follow", alice)
    act(node, alice, "follow", bob)
    publish(node, alice)
    publish(node, alice, visibility="direct")
    shown = node.get(path).json()
    assert (shown["followers_count"], shown["following_count"]) == (1, 1)
    assert shown["statuses_count"] == 1, "direct posts are nobody's business"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shown["last_status_at"])
    rows(node, "UPDATE account SET display_name = 'A <b>', note = ?, locked = 1, bot = 1,"
               " discoverable = 1, role = 1, default_visibility = 3, default_sensitive = 1,"
               " default_language = 'nl', fields = ?, created_at = 0 WHERE id = ?",
         ("one\n\n<two>", '[{"name":"site","value":"<x>"}]', int(alice.id)))
    shown = node.get("/api/v1/accounts/verify_credentials", alice).json()
    assert set(shown) == ACCOUNT_KEYS | {"source", "role"}
    assert shown["display_name"] == "A <b>" and shown["note"] == "<p>one</p><p>&lt;two&gt;</p>"
    assert shown["locked"] and shown["bot"] and shown["discoverable"]
    assert shown["roles"][0]["name"] == "Admin" and shown["role"]["name"] == "Admin"
    assert shown["created_at"] == "1970-01-01T00:00:00.000Z"
    assert shown["fields"][0]["value"] == "<p>&lt;x&gt;</p>"
    source = shown["source"]
    assert (source["privacy"], source["sensitive"], source["language"]) == ("private", True, "nl")
    assert source["note"] == "one\n\n<two>" and source["fields"][0]["value"] == "<x>"
    carol = node.create_account("dora")
    act(node, carol, "follow", alice)
    shown = node.get("/api/v1/accounts/verify_credentials", alice).json()
    assert shown["source"]["follow_requests_count"] == 1
    preferences = node.get("/api/v1/preferences", alice).json()
    assert preferences["posting:default:visibility"] == "private"
    assert preferences["posting:default:language"] == "nl"
    made = node.post(STATUSES, alice, data={"status": "by default"}).json()
    assert (made["visibility"], made["sensitive"], made["language"]) == ("private", True, "nl")


# --- the server -------------------------------------------------------------------------------------


def test_the_server_tells_of_itself(node, people):
    alice = people[0]
    publish(node, alice)
    instance = node.get("/api/v2/instance").json()
    assert instance["domain"] == "trunkline.example"
    assert re.fullmatch(r"4\.5\.0 \(compatible; Trunkline \d+\.\d+\.\d+\)", instance["version"])
    assert instance["api_versions"] == {"mastodon": 1}
    assert instance["configuration"]["statuses"]["max_characters"] == 500
    assert instance["usage"]["users"]["active_month"] == 1
    first = node.get("/api/v1/instance").json()
    assert first["uri"] == "trunkline.example"
    assert first["stats"] == {"user_count": 3, "status_count": 1, "domain_count": 0}
    rows(node, "INSERT INTO host(id, scheme, name, port) VALUES (1, 'https', 'b.example', 443)")
    assert node.get("/api/v1/instance").json()["stats"]["domain_count"] == 1
    assert node.get("/api/v1/instance/peers").json() == ["b.example"]
    assert node.get("/api/v1/custom_emojis").json() == []
    admin = node.create_account("root", role="admin")
    assert node.get("/api/v2/instance").json()["contact"]["account"]["id"] == admin.id
    for link in node.get("/.well-known/nodeinfo").json()["links"]:
        path = link["href"].removeprefix("https://trunkline.example")
        document = node.get(path).json()
        assert document["software"]["name"] == "trunkline"
        assert document["usage"]["localPosts"] == 1
    refused(node.get("/nodeinfo/3.0"), 404)
    finger = node.get("/.well-known/webfinger",
                      params={"resource": "acct:ALICE@trunkline.example"}).json()
    assert finger["subject"] == "acct:alice@trunkline.example"
    for resource, status in (("acct:nobody@trunkline.example", 404), ("", 400),
                             ("acct:alice@evil.example", 404), ("https://evil.example/@alice", 404)):
        refused(node.get("/.well-known/webfinger", params={"resource": resource}), status)


def test_the_links_of_entities_lead_somewhere(node, people):
    alice = people[0]
    rows(node, "UPDATE account SET note = ? WHERE id = ?", ("<script>x</script>", int(alice.id)))
    made = publish(node, alice, "<b>bold</b> & co", spoiler_text="<i>")
    links = [made["url"], made["uri"], made["account"]["url"], made["account"]["uri"],
             made["account"]["avatar"], made["account"]["header"], "https://trunkline.example/"]
    for link in links:
        page = node.get(link.removeprefix("https://trunkline.example"), allow_redirects=False)
        assert page.status_code in (200, 302), link
        assert "<script" not in page.text and "<b>" not in page.text and "<i>" not in page.text
    assert "&lt;b&gt;bold" in node.get(f"/@alice/{made['id']}").text
    assert node.get("/@nobody").status_code == 404
    assert node.get(f"/@bob/{made['id']}").status_code == 404


def test_what_does_not_exist_is_told_in_the_error_shape(node, people):
    alice = people[0]
    for path in ("/api/v1/lists", "/api/v1/nothing", "/api/v9/statuses", "/nothing",
                 "/api/v1/timelines/public"):
        answer = node.get(path, alice)
        refused(answer, 404)
        assert answer.json() == {"error": "Record not found"}
    answer = node.request("DELETE", HOME, alice)
    refused(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD"
    refused(node.get(HOME), 401)
    refused(node.get(HOME, headers={"Authorization": "Bearer wrong"}), 401)
    refused(node.get(f"/api/v1/accounts/{alice.id}", headers={"Authorization": "Bearer wrong"}), 401)


def test_browsers_of_every_origin_may_ask(node, people):
    alice = people[0]
    asked = requests.options(node.web_url + STATUSES, headers={
        "Origin": "https://client.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization, Idempotency-Key"})
    assert asked.status_code in (200, 204)
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert {"PUT", "DELETE"} <= set(asked.headers["Access-Control-Allow-Methods"].split(", "))
    allowed = asked.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed and "idempotency-key" in allowed
    answer = node.get(HOME, alice, headers={"Origin": "https://client.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"Link", "X-RateLimit-Remaining"} <= set(
        answer.headers["Access-Control-Expose-Headers"].split(", "))


def test_requests_are_limited_by_account_and_the_answer_says_so(storage):
    with Node(postgres=storage, test=False, settings={"rate_limit.requests": 5}) as node:
        alice, bob = node.create_account("alice"), node.create_account("bob")
        for left in (4, 3, 2, 1, 0):
            answer = node.get(HOME, alice)
            assert answer.status_code == 200
            assert answer.headers["X-RateLimit-Limit"] == "5"
            assert answer.headers["X-RateLimit-Remaining"] == str(left)
            assert answer.headers["X-RateLimit-Reset"].endswith("Z")
        before = picture(node)
        refused(node.post(STATUSES, alice, data={"status": "x"}), 429)
        assert picture(node) == before
        assert node.get(HOME, bob).status_code == 200
        assert node.get("/api/v1/instance").headers["X-RateLimit-Remaining"] == "4"


def test_A112_variants_of_a_path_are_counted_and_allowed_alike(storage):
    variants = [HOME, HOME + ".json", HOME + "/", "/api/v1//timelines/home",
                "/api/v1/timelines%2Fhome", "/API/V1/TIMELINES/HOME", "/api/v1/%74imelines/home"]
    with Node(postgres=storage, test=False, settings={"rate_limit.requests": 20}) as node:
        alice = node.create_account("alice")
        for path in variants:
            assert node.request("GET", path).status_code in (401, 404), path
        assert requests.head(node.web_url + HOME).status_code == 401
        override = {"X-HTTP-Method-Override": "DELETE", "X-Original-Url": HOME}
        made = publish(node, alice)
        node.post(f"{STATUSES}/{made['id']}", alice, headers=override, data={"_method": "delete"})
        assert show(node, made["id"], alice).status_code == 200, "no override of the method"
        left = int(node.get("/api/v1/instance").headers["X-RateLimit-Remaining"])
        assert left == 20 - len(variants) - 2, "each variant was counted"
        spent = {requests.get(node.web_url + path).status_code for path in variants * 3}
        assert 429 in spent
        assert requests.get(node.web_url + variants[3]).status_code == 429


def test_A127_no_header_changes_where_links_lead(node, people):
    alice, bob, _ = people
    act(node, alice, "follow", bob)
    publish(node, bob)
    poison = {"Host": "evil.example", "X-Forwarded-Host": "evil.example",
              "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.example",
              "X-Forwarded-Prefix": "/evil"}
    for path in (HOME, f"/api/v1/accounts/{bob.id}", "/api/v2/instance", "/.well-known/nodeinfo",
                 "/.well-known/oauth-authorization-server", "/",
                 "/.well-known/webfinger?resource=acct:bob@trunkline.example"):
        answer = node.get(path, alice, headers=poison)
        assert answer.status_code == 200, path
        assert "evil" not in answer.text and "evil" not in str(answer.headers), path
        assert "gopher" not in answer.text
    links = node.get(HOME + "?x=%3E%3Bevil", alice, headers=poison).headers["Link"]
    assert links.count("https://trunkline.example/") == 2


HOSTILE = ["'; DROP TABLE post; --", '" OR 1=1 --', "%' ESCAPE '\\", "$1", "\uffff", "\U0001f4a9" * 3,
           "\u202e", "a\x00b", "\x00", "\\u0000", "\x1b[2J", "\ud7ff\ue000", "0x00", "`id`", "\r\nX: y"]


def test_A128_no_text_breaks_anything(node, people):
    for text in HOSTILE:
        send_everywhere(node, people, text)
    assert one(node, "SELECT COUNT(*) FROM post") > 0


def send_everywhere(node, people, text):
    alice, bob, _ = people
    calls = [
        ("POST", STATUSES, {"status": text}), ("POST", STATUSES, {"status": "x", "spoiler_text": text}),
        ("POST", STATUSES, {"status": "x", "language": text}),
        ("POST", STATUSES, {"status": "x", "visibility": text}),
        ("POST", STATUSES, {"status": "x", "in_reply_to_id": text}),
        ("POST", "/api/v1/apps", {"client_name": text, "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}),
        ("POST", "/api/v1/apps", {"client_name": "x", "redirect_uris": text}),
        ("POST", "/api/v1/apps", {"client_name": "x", "website": text, "redirect_uris": "a:b"}),
        ("POST", "/oauth/token", {"grant_type": "authorization_code", "code": text,
                                  "client_id": text, "client_secret": text}),
        ("POST", "/oauth/revoke", {"token": text, "client_id": text}),
        ("POST", "/oauth/authorize", {"client_id": text, "username": text, "password": text}),
        ("POST", f"/api/v1/accounts/{bob.id}/follow", {"languages": [text]}),
        ("POST", f"/api/v1/accounts/{bob.id}/mute", {"duration": text}),
    ]
    for method, path, fields in calls:
        for sent in ({"json": fields}, {"data": fields}):
            answer = node.request(method, path, alice, **sent)
            assert answer.status_code < 500, (path, fields, answer.text)
    for path, params in (("/api/v1/accounts/lookup", {"acct": text}), (HOME, {"max_id": text}),
                         ("/oauth/authorize", {"client_id": text, "redirect_uri": text}),
                         (f"/api/v1/accounts/{alice.id}/statuses", {"tagged": text}),
                         ("/api/v1/accounts/relationships", {"id[]": text}),
                         ("/.well-known/webfinger", {"resource": text})):
        answer = node.get(path, alice, params=params)
        assert answer.status_code < 500, (path, answer.text)
    key = {"Idempotency-Key": text.encode("utf-8", "replace").replace(b"\r\n", b"").replace(b"\0", b"")}
    assert node.post(STATUSES, alice, data={"status": "x"}, headers=key).status_code < 500


def test_a_text_comes_back_as_it_was_written(node, people):
    alice = people[0]
    for text in ("\U0001f4a9 \uffff \u202e x", "it's \"quoted\" \\ $1 %", "a\n\nb\nc <b>&amp;</b>"):
        made = publish(node, alice, text)
        assert node.get(f"{STATUSES}/{made['id']}/source", alice).json()["text"] == text
        assert "<b>" not in made["content"]
