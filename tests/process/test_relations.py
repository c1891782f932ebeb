"""What people do with each other and with posts, on a real node, as Mastodon documents it.

Where the OpenAPI description of Mastodon's API is at hand (see test_openapi.py), every answer is
also validated against it.
"""

import json

import pytest

from database import one, picture, rows
from test_openapi import DESCRIPTION, Checker

EMPTY = {"type": "object", "maxProperties": 0}
ERROR = {"type": "object", "required": ["error"],
         "properties": {"error": {"type": "string", "minLength": 1}}}
ACCOUNT = "/api/v1/accounts/{id}"
STATUS = "/api/v1/statuses/{id}"
NOTIFICATIONS = "/api/v1/notifications"
DOMAINS = "/api/v1/domain_blocks"


class Api(Checker):
    """The client API: `call` checks status and shape, and keeps the headers of the last answer."""

    def __init__(self, node, description):
        super().__init__(node, description or {"paths": {}})

    def schema(self, method, template, status):
        if status == 200 and (method, template) in EMPTY_ANSWERS:
            return EMPTY
        if status >= 400:  # the description demands `details` of some, which Mastodon does not send
            return ERROR
        if not self.description["paths"]:
            return {}
        return super().schema(method, template, status)

    def call(self, method, template, account=None, status=200, ids=(), **more):
        answer = super().call(method, template, account, status, ids, **more)
        assert not self.wrong, self.wrong
        return answer

    def get(self, template, account=None, *ids, status=200, **params):
        return self.call("GET", template, account, status, ids, params=params)

    def post(self, template, account=None, *ids, status=200, **fields):
        return self.call("POST", template, account, status, ids, json=fields)

    def relation(self, account, other):
        return self.get("/api/v1/accounts/relationships", account, **{"id[]": [other.id]})[0]

    def publish(self, account, text="hello", **more):
        return self.call("POST", "/api/v1/statuses", account, json={"status": text, **more})

    def walk(self, path, account, **params):
        """Every id of a list, page after page by `rel=next`; then back by `rel=prev`."""
        ids, answer = [], self.node.get(path, account, params=params)
        while True:
            assert answer.status_code == 200, answer.text
            page = [item["id"] for item in answer.json()]
            if not page:
                break
            ids += page
            assert "prev" in answer.links
            if "next" not in answer.links:
                break
            first, answer = answer, self.follow_link(answer, "next", account)
            if answer.json():
                back = self.follow_link(answer, "prev", account)
                assert [item["id"] for item in back.json()] == [item["id"] for item in first.json()]
        return ids

    def follow_link(self, answer, rel, account):
        url = answer.links[rel]["url"]
        return self.node.get("/" + url.split("/", 3)[3], account)


EMPTY_ANSWERS = {("POST", NOTIFICATIONS + "/{id}/dismiss"), ("POST", NOTIFICATIONS + "/clear"),
                 ("POST", DOMAINS), ("DELETE", DOMAINS)}


@pytest.fixture(scope="module")
def description():
    return json.loads(DESCRIPTION.read_text()) if DESCRIPTION.exists() else None


@pytest.fixture
def api(node, description):
    return Api(node, description)


@pytest.fixture
def people(node):
    made = [node.create_account(name) for name in ("alice", "bob", "carol")]
    assert all(account.token for account in made)
    return made


def ids(items):
    return [item["id"] for item in items]


def lock(node, account):
    rows(node, "UPDATE account SET locked = 1 WHERE id = ?", (int(account.id),))


# --- follows ---------------------------------------------------------------------------------------

def test_a_follow_is_seen_by_both_and_ends_from_either_side(api, people):
    alice, bob, carol = people
    made = api.post(ACCOUNT + "/follow", alice, bob.id)
    assert made["following"] and made["showing_reblogs"] and not made["requested"]
    assert api.relation(bob, alice)["followed_by"]
    assert api.get(ACCOUNT, None, bob.id)["followers_count"] == 1
    assert api.get(ACCOUNT, None, alice.id)["following_count"] == 1
    api.post(ACCOUNT + "/follow", alice, bob.id)
    assert api.get(ACCOUNT, None, bob.id)["followers_count"] == 1, "twice is once"
    api.post(ACCOUNT + "/follow", carol, bob.id)
    assert api.post(ACCOUNT + "/remove_from_followers", bob, alice.id)["followed_by"] is False
    assert api.relation(alice, bob)["following"] is False
    assert ids(api.get(ACCOUNT + "/followers", None, bob.id)) == [carol.id]
    assert api.post(ACCOUNT + "/unfollow", carol, bob.id)["following"] is False
    assert api.post(ACCOUNT + "/unfollow", carol, bob.id)["following"] is False
    assert api.get(ACCOUNT + "/followers", None, bob.id) == []
    api.post(ACCOUNT + "/remove_from_followers", bob, "4711", status=404)
    api.post(ACCOUNT + "/remove_from_followers", None, alice.id, status=401)


def test_followers_and_following_are_paged_by_their_links(api, node):
    star = node.create_account("star")
    fans = [node.create_account(f"fan{number}") for number in range(7)]
    for fan in fans:
        api.post(ACCOUNT + "/follow", fan, star.id)
        api.post(ACCOUNT + "/follow", star, fan.id)
    newest_first = [fan.id for fan in reversed(fans)]
    for side in ("followers", "following"):
        path = f"/api/v1/accounts/{star.id}/{side}"
        for account in (None, fans[0]):
            assert api.walk(path, account, limit=3) == newest_first
            assert api.walk(path, account) == newest_first
        assert len(node.get(path, params={"limit": 500}).json()) == 7
        api.get(ACCOUNT + "/" + side, None, "4711", status=404)
    assert api.get(ACCOUNT + "/followers", None, fans[0].id)[0]["acct"] == "star"


def test_a_locked_account_decides_who_follows(api, node, people):
    alice, bob, carol = people
    lock(node, bob)
    for fan in (alice, carol):
        assert api.post(ACCOUNT + "/follow", fan, bob.id)["requested"] is True
    assert api.relation(bob, alice)["requested_by"] is True
    assert api.get(ACCOUNT + "/followers", bob, bob.id) == []
    assert ids(api.get("/api/v1/follow_requests", bob)) == [carol.id, alice.id]
    assert api.walk("/api/v1/follow_requests", bob, limit=1) == [carol.id, alice.id]
    assert api.get("/api/v1/accounts/verify_credentials",
                   bob)["source"]["follow_requests_count"] == 2
    told = api.get(NOTIFICATIONS, bob)
    assert [(item["type"], item["account"]["id"]) for item in told] == [
        ("follow_request", carol.id), ("follow_request", alice.id)]

    answer = api.call("POST", "/api/v1/follow_requests/{account_id}/authorize", bob, ids=[alice.id])
    assert answer["followed_by"] is True and answer["requested_by"] is False
    assert api.relation(alice, bob)["following"] is True
    answer = api.call("POST", "/api/v1/follow_requests/{account_id}/reject", bob, ids=[carol.id])
    assert answer["followed_by"] is False
    assert api.relation(carol, bob)["requested"] is False
    assert api.get("/api/v1/follow_requests", bob) == []
    assert ids(api.get(ACCOUNT + "/followers", None, bob.id)) == [alice.id]
    for verb in ("authorize", "reject"):
        path = "/api/v1/follow_requests/{account_id}/" + verb
        api.call("POST", path, bob, 404, [carol.id])
        api.call("POST", path, bob, 404, ["4711"])
        api.call("POST", path, None, 401, [carol.id])


# --- blocks and mutes ------------------------------------------------------------------------------

def test_blocks_are_listed_and_end_every_follow(api, people):
    alice, bob, carol = people
    api.post(ACCOUNT + "/follow", alice, bob.id)
    api.post(ACCOUNT + "/follow", bob, alice.id)
    for target in (bob, carol):
        assert api.post(ACCOUNT + "/block", alice, target.id)["blocking"] is True
    assert ids(api.get("/api/v1/blocks", alice)) == [carol.id, bob.id]
    assert api.walk("/api/v1/blocks", alice, limit=1) == [carol.id, bob.id]
    assert api.get("/api/v1/blocks", bob) == [], "nobody sees whom others block"
    relation = api.relation(bob, alice)
    assert relation["blocked_by"] and not relation["following"] and not relation["followed_by"]
    assert api.get(ACCOUNT + "/followers", None, alice.id) == []
    assert api.post(ACCOUNT + "/unblock", alice, carol.id)["blocking"] is False
    assert ids(api.get("/api/v1/blocks", alice)) == [bob.id]
    api.get("/api/v1/blocks", status=401)


def test_mutes_are_listed_with_their_end(api, people):
    alice, bob, carol = people
    assert api.post(ACCOUNT + "/mute", alice, bob.id)["muting_notifications"] is True
    made = api.post(ACCOUNT + "/mute", alice, carol.id, duration=3600, notifications=False)
    assert made["muting"] and not made["muting_notifications"] and made["muting_expires_at"]
    listed = api.get("/api/v1/mutes", alice)
    assert ids(listed) == [carol.id, bob.id]
    assert listed[0]["mute_expires_at"] == made["muting_expires_at"]
    assert listed[1]["mute_expires_at"] is None
    assert api.walk("/api/v1/mutes", alice, limit=1) == [carol.id, bob.id]
    assert api.post(ACCOUNT + "/unmute", alice, bob.id)["muting"] is False
    assert ids(api.get("/api/v1/mutes", alice)) == [carol.id]
    assert api.get("/api/v1/mutes", bob) == []
    api.get("/api/v1/mutes", status=401)


def test_a_muted_or_blocked_account_notifies_of_nothing(api, people):
    alice, bob, carol = people
    api.post(ACCOUNT + "/mute", alice, bob.id)
    api.post(ACCOUNT + "/block", alice, carol.id)
    for other in (bob, carol):
        api.publish(other, "hello @alice")
    assert api.get(NOTIFICATIONS, alice) == []
    api.post(ACCOUNT + "/mute", alice, bob.id, notifications=False)
    api.publish(bob, "again @alice")
    assert [item["type"] for item in api.get(NOTIFICATIONS, alice)] == ["mention"]


def test_domains_are_blocked_by_name(api, node, people):
    alice, bob, _ = people
    for domain in ("Bad.example", "bücher.example", "a.example"):
        assert api.post(DOMAINS, alice, domain=domain) == {}
    api.post(DOMAINS, alice, domain="bad.example")
    assert sorted(api.get(DOMAINS, alice)) == ["a.example", "bad.example", "xn--bcher-kva.example"]
    assert api.get(DOMAINS, bob) == []
    first = node.get(DOMAINS, alice, params={"limit": 2})
    rest = api.follow_link(first, "next", alice)
    assert len(first.json()) == 2
    assert sorted(first.json() + rest.json()) == sorted(api.get(DOMAINS, alice))
    for bad in ("", "not a domain", "https://x.example", "x.example:80"):
        api.post(DOMAINS, alice, domain=bad, status=422)
    assert api.call("DELETE", DOMAINS, alice, json={"domain": "BAD.example"}) == {}
    assert api.call("DELETE", DOMAINS, alice, params={"domain": "a.example"}) == {}
    assert api.get(DOMAINS, alice) == ["xn--bcher-kva.example"]
    api.get(DOMAINS, status=401)


# --- posts -----------------------------------------------------------------------------------------

def test_favourites_and_bookmarks_are_kept_listed_and_taken_back(api, people):
    alice, bob, carol = people
    posts = [api.publish(alice, f"post {number}")["id"] for number in range(5)]
    for verb, flag, path in (("favourite", "favourited", "/api/v1/favourites"),
                             ("bookmark", "bookmarked", "/api/v1/bookmarks")):
        assert api.get(path, bob) == []
        order = [posts[i] for i in (2, 0, 4, 1, 3)]
        for id in order:
            assert api.post(f"{STATUS}/{verb}", bob, id)[flag] is True
        assert api.post(f"{STATUS}/{verb}", bob, order[0])[flag] is True, "twice is once"
        assert ids(api.get(path, bob)) == order[::-1], "the newest mark first, not the newest post"
        assert api.walk(path, bob, limit=2) == order[::-1]
        assert all(item[flag] for item in api.get(path, bob))
        assert api.get(path, carol) == []
        assert api.get(STATUS, carol, order[0])[flag] is False
        assert api.post(f"{STATUS}/un{verb}", bob, order[0])[flag] is False
        assert api.post(f"{STATUS}/un{verb}", bob, order[0])[flag] is False
        assert ids(api.get(path, bob)) == order[:0:-1]
        api.post(f"{STATUS}/{verb}", bob, "4711", status=404)
        api.post(f"{STATUS}/{verb}", None, order[0], status=401)
        api.get(path, status=401)
    assert api.get(STATUS, None, posts[1])["favourites_count"] == 1
    api.call("DELETE", STATUS, alice, ids=[posts[1]])
    for path in ("/api/v1/favourites", "/api/v1/bookmarks"):
        assert posts[1] not in ids(api.get(path, bob))


def test_who_favoured_and_boosted_is_listed(api, node, people):
    alice, bob, carol = people
    post = api.publish(alice)["id"]
    for fan in (bob, carol):
        api.post(STATUS + "/favourite", fan, post)
        api.post(STATUS + "/reblog", fan, post)
    for side in ("favourited_by", "reblogged_by"):
        assert ids(api.get(f"{STATUS}/{side}", None, post)) == [carol.id, bob.id]
        assert api.walk(f"/api/v1/statuses/{post}/{side}", alice, limit=1) == [carol.id, bob.id]
        api.get(f"{STATUS}/{side}", None, "4711", status=404)
    boost = api.get(ACCOUNT + "/statuses", bob, bob.id)[0]["id"]
    assert api.post(STATUS + "/favourite", alice, boost)["id"] == post, "the post, not its boost"
    assert set(ids(api.get(STATUS + "/favourited_by", None, post))) == {
        alice.id, bob.id, carol.id}
    hidden = api.publish(alice, "only for followers", visibility="private")["id"]
    for side in ("favourited_by", "reblogged_by"):
        api.get(f"{STATUS}/{side}", bob, hidden, status=404)
    api.post(STATUS + "/favourite", bob, hidden, status=404)
    api.post(STATUS + "/bookmark", bob, hidden, status=404)


def test_pins_are_few_own_and_not_direct(api, node, people):
    alice, bob, _ = people
    posts = [api.publish(alice, f"post {number}")["id"] for number in range(6)]
    for id in posts[:5]:
        assert api.post(STATUS + "/pin", alice, id)["pinned"] is True
    api.post(STATUS + "/pin", alice, posts[5], status=422)
    pinned = api.get(ACCOUNT + "/statuses", None, alice.id, pinned="true")
    assert ids(pinned) == posts[4::-1], "the newest pin first"
    assert api.post(STATUS + "/unpin", alice, posts[0])["pinned"] is False
    assert api.post(STATUS + "/unpin", alice, posts[0])["pinned"] is False
    theirs = api.publish(bob)["id"]
    direct = api.publish(alice, "@bob psst", visibility="direct")["id"]
    boost = api.post(STATUS + "/reblog", alice, theirs)["id"]
    before = one(node, "SELECT COUNT(*) FROM pin")
    for id in (theirs, direct, boost):
        api.post(STATUS + "/pin", alice, id, status=422)
    api.post(STATUS + "/pin", alice, "4711", status=404)
    assert one(node, "SELECT COUNT(*) FROM pin") == before


# --- notifications ---------------------------------------------------------------------------------

@pytest.fixture
def noticed(api, people):
    """Alice was told of everything once; returns her post."""
    alice, bob, carol = people
    post = api.publish(alice)["id"]
    api.post(STATUS + "/favourite", bob, post)
    api.post(STATUS + "/reblog", carol, post)
    api.post(ACCOUNT + "/follow", bob, alice.id)
    api.publish(carol, "hello @alice", visibility="direct")
    return post


def test_every_kind_of_notification_says_who_and_about_what(api, people, noticed):
    alice, bob, carol = people
    told = api.get(NOTIFICATIONS, alice)
    assert [(item["type"], item["account"]["id"]) for item in told] == [
        ("mention", carol.id), ("follow", bob.id), ("reblog", carol.id), ("favourite", bob.id)]
    assert ids(told) == sorted(ids(told), key=int, reverse=True)
    assert told[0]["status"]["visibility"] == "direct"
    assert "status" not in told[1]
    assert told[2]["status"]["id"] == noticed and told[3]["status"]["id"] == noticed
    for item in told:
        assert api.get(NOTIFICATIONS + "/{id}", alice, item["id"]) == item
        api.get(NOTIFICATIONS + "/{id}", bob, item["id"], status=404)
    assert api.get(NOTIFICATIONS, bob) == []
    api.get(NOTIFICATIONS, status=401)


def test_notifications_are_chosen_by_kind_and_account_and_paged(api, people, noticed):
    alice, bob, carol = people

    def kinds(**params):
        return [item["type"] for item in api.get(NOTIFICATIONS, alice, **params)]

    assert kinds(**{"types[]": ["mention", "follow"]}) == ["mention", "follow"]
    assert kinds(**{"exclude_types[]": ["mention", "follow"]}) == ["reblog", "favourite"]
    assert kinds(**{"types[]": ["mention", "follow"], "exclude_types[]": ["follow"]}) == ["mention"]
    assert kinds(**{"types[]": ["admin.sign_up"]}) == []
    assert kinds(account_id=bob.id) == ["follow", "favourite"]
    assert kinds(limit=1) == ["mention"]
    assert api.walk(NOTIFICATIONS, alice, limit=1) == ids(api.get(NOTIFICATIONS, alice))
    answer = api.node.get(NOTIFICATIONS, alice, params={"types[]": "follow", "limit": 1})
    assert api.follow_link(answer, "next", alice).json() == [], "the link keeps what was asked for"
    newest = api.get(NOTIFICATIONS, alice)[0]["id"]
    assert kinds(since_id=newest) == []
    assert kinds(max_id=newest) == ["follow", "reblog", "favourite"]


def test_notifications_are_counted(api, people, noticed):
    alice, bob, _ = people
    path = NOTIFICATIONS + "/unread_count"

    def count(account=alice, **params):
        return api.get(path, account, **params)["count"]

    assert count() == 4 and count(bob) == 0
    assert count(limit=3) == 3 and count(limit=0) == 1 and count(limit=10**9) == 4
    assert count(**{"types[]": ["mention", "follow"]}) == 2
    assert count(**{"exclude_types[]": ["mention"]}) == 3
    assert count(**{"types[]": ["admin.sign_up"]}) == 0
    assert count(account_id=bob.id) == 2
    api.post(NOTIFICATIONS + "/{id}/dismiss", alice, api.get(NOTIFICATIONS, alice)[0]["id"])
    assert count() == 3
    api.get(path, status=401)


def test_notifications_go_one_by_one_and_all_at_once(api, people, noticed):
    alice, bob, _ = people
    first = api.get(NOTIFICATIONS, alice)[0]["id"]
    api.post(NOTIFICATIONS + "/{id}/dismiss", bob, first, status=404)
    assert api.post(NOTIFICATIONS + "/{id}/dismiss", alice, first) == {}
    assert first not in ids(api.get(NOTIFICATIONS, alice))
    api.get(NOTIFICATIONS + "/{id}", alice, first, status=404)
    api.post(NOTIFICATIONS + "/{id}/dismiss", alice, first, status=404)
    api.post(NOTIFICATIONS + "/{id}/dismiss", alice, "x", status=404)
    assert len(api.get(NOTIFICATIONS, alice)) == 3
    assert api.post(NOTIFICATIONS + "/clear", alice) == {}
    assert api.get(NOTIFICATIONS, alice) == []
    assert api.post(NOTIFICATIONS + "/clear", alice) == {}
    api.post(NOTIFICATIONS + "/clear", status=401)


def test_what_is_taken_back_notifies_no_more(api, people, noticed):
    alice, bob, carol = people
    api.post(STATUS + "/unfavourite", bob, noticed)
    api.post(STATUS + "/unreblog", carol, noticed)
    api.post(ACCOUNT + "/unfollow", bob, alice.id)
    assert [item["type"] for item in api.get(NOTIFICATIONS, alice)] == ["mention"]
    api.post(STATUS + "/favourite", bob, noticed)
    assert len(api.get(NOTIFICATIONS, alice)) == 2
    api.call("DELETE", STATUS, alice, ids=[noticed])
    assert [item["type"] for item in api.get(NOTIFICATIONS, alice)] == ["mention"]


def test_nobody_is_notified_of_what_he_does_himself(api, people):
    alice = people[0]
    post = api.publish(alice, "hello @alice")["id"]
    api.post(STATUS + "/favourite", alice, post)
    api.post(STATUS + "/reblog", alice, post)
    assert api.get(NOTIFICATIONS, alice) == []


# --- reports and search ----------------------------------------------------------------------------

def test_a_report_is_answered_as_it_was_made(api, node, people):
    alice, bob, carol = people
    post = api.publish(bob, "rude")["id"]
    made = api.post("/api/v1/reports", alice, account_id=bob.id, status_ids=[post],
                    comment="this is rude", category="spam")
    assert made["category"] == "spam" and made["comment"] == "this is rude"
    assert made["status_ids"] == [post] and made["action_taken"] is False
    assert made["forwarded"] is False and made["target_account"]["id"] == bob.id
    plain = api.post("/api/v1/reports", alice, account_id=carol.id)
    assert plain["category"] == "other" and plain["comment"] == "" and plain["status_ids"] == []
    assert one(node, "SELECT COUNT(*) FROM report") == 2
    assert api.get(NOTIFICATIONS, bob) == [], "who is reported is not told"
    others = api.publish(carol, "not bob's")["id"]
    for fields, status in (({"account_id": "4711"}, 404), ({}, 404),
                           ({"account_id": bob.id, "status_ids": [others]}, 404),
                           ({"account_id": bob.id, "status_ids": ["4711"]}, 404),
                           ({"account_id": bob.id, "category": "boring"}, 422),
                           ({"account_id": bob.id, "comment": "x" * 1001}, 422)):
        api.post("/api/v1/reports", alice, status=status, **fields)
    api.post("/api/v1/reports", None, status=401, account_id=bob.id)
    assert one(node, "SELECT COUNT(*) FROM report") == 2


def test_local_accounts_tags_and_own_posts_are_found(api, node, people):
    alice, bob, carol = people
    post = api.publish(alice, "about #Trains")
    for text in ("bob", "@bob", "BO", f"bob@{node.domain}", f"@Bob@{node.domain}"):
        assert ids(api.get("/api/v1/accounts/search", alice, q=text)) == [bob.id], text
        assert ids(api.get("/api/v2/search", alice, q=text)["accounts"]) == [bob.id], text
    assert api.get("/api/v1/accounts/search", alice, q="bob@elsewhere.example") == []
    assert api.get("/api/v1/accounts/search", alice, q="nobody") == []
    assert len(api.get("/api/v1/accounts/search", alice, q="o", limit=1)) <= 1
    api.get("/api/v1/accounts/search", status=401, q="bob")
    for blank in ("", "  "):
        api.get("/api/v2/search", alice, status=422, q=blank)
    found = api.get("/api/v2/search", alice, q="trains")
    assert [(tag["id"], tag["name"]) for tag in found["hashtags"]] == [("trains", "Trains")]
    for url in (post["uri"], post["url"]):
        assert ids(api.get("/api/v2/search", bob, q=url)["statuses"]) == [post["id"]]
    node.create_account("carolyn")
    page = api.get(ACCOUNT, None, carol.id)
    for url in (page["uri"], page["url"]):
        for resolve in ("true", "false"):
            found = api.get("/api/v2/search", bob, q=url, resolve=resolve)
            assert ids(found["accounts"]) == [carol.id], url
    only = api.get("/api/v2/search", alice, q="bob", type="statuses")
    assert only == {"accounts": [], "statuses": [], "hashtags": []}
    hidden = api.publish(alice, "secret", visibility="private")
    assert api.get("/api/v2/search", bob, q=hidden["uri"])["statuses"] == []


def test_a_search_goes_on_and_keeps_to_those_one_follows(api, node, people):
    alice, bob, _ = people
    made = [node.create_account(f"dora{number}") for number in range(4)]
    names = [account.id for account in made]
    search = "/api/v1/accounts/search"
    assert ids(api.get(search, alice, q="dora")) == names
    assert ids(api.get(search, alice, q="dora", offset=1, limit=2)) == names[1:3]
    for past in (4, 10**9):
        assert api.get(search, alice, q="dora", offset=past) == []
    assert ids(api.get(search, alice, q="dora", offset=-1)) == names
    exact = api.get(ACCOUNT, None, made[2].id)["uri"]
    assert ids(api.get(search, alice, q=exact)) == [made[2].id]
    assert api.get(search, alice, q=exact, offset=1) == []

    for friend in (made[1], made[3]):
        api.post(ACCOUNT + "/follow", alice, friend.id)
    followed = [made[1].id, made[3].id]
    assert ids(api.get(search, alice, q="dora", following="true")) == followed
    assert ids(api.get(search, alice, q="dora", following="true", offset=1)) == followed[1:]
    assert api.get(search, alice, q=exact, following="true") == []
    assert api.get(search, bob, q="dora", following="true") == []
    api.call("PATCH", "/api/v1/accounts/update_credentials", made[0], json={"locked": True})
    api.post(ACCOUNT + "/follow", alice, made[0].id)
    assert ids(api.get(search, alice, q="dora", following="true")) == followed, "asked is not yet"

    whole = "/api/v2/search"
    assert ids(api.get(whole, alice, q="dora", following="true")["accounts"]) == followed
    assert ids(api.get(whole, alice, q="dora", type="accounts", offset=3)["accounts"]) == names[3:]
    assert ids(api.get(whole, alice, q="dora", offset=3)["accounts"]) == names, "of which list?"
    api.publish(alice, "#doratwo #doraone")
    found = api.get(whole, alice, q="dora", type="hashtags", offset=1)["hashtags"]
    assert [tag["name"] for tag in found] == ["doratwo"]
    post = api.publish(alice)
    assert api.get(whole, alice, q=post["uri"], type="statuses", offset=1)["statuses"] == []


def test_what_is_refused_changes_nothing(api, node, people):
    alice, bob, _ = people
    post = api.publish(bob)["id"]
    before = picture(node)
    reader = {"Authorization": "Bearer " + node.user_token(alice, "read")}
    for path in (f"/api/v1/accounts/{bob.id}/follow", f"/api/v1/accounts/{bob.id}/block",
                 f"/api/v1/accounts/{bob.id}/mute", f"/api/v1/statuses/{post}/favourite",
                 f"/api/v1/statuses/{post}/bookmark", f"/api/v1/statuses/{post}/pin",
                 NOTIFICATIONS + "/clear", "/api/v1/reports", DOMAINS):
        answer = node.post(path, headers=reader, json={"account_id": bob.id, "domain": "x.example"})
        assert answer.status_code == 403, path
        assert node.post(path).status_code == 401, path
    after = picture(node)
    after["token"] -= 1
    assert after == before
