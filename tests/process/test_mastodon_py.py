"""Debian's python3-mastodon (Mastodon.py) against a real node: the library that most bots use."""

import pytest
from mastodon import Mastodon
from mastodon.Mastodon import MastodonAPIError, MastodonNotFoundError

from node import Node
from oauth_client import OOB, Form, OAuthClient

SCOPES = ["read", "write", "follow"]


@pytest.fixture
def place(storage):
    with Node(postgres=storage) as node:
        yield node


def log_in(node, account):
    """Registers an app and logs in on the real page, as a person with this library does."""
    app = Mastodon.create_app("bot", scopes=SCOPES, redirect_uris=OOB, api_base_url=node.web_url)
    client = Mastodon(client_id=app[0], client_secret=app[1], api_base_url=node.web_url)
    url = client.auth_request_url(redirect_uris=OOB, scopes=SCOPES)
    answer = OAuthClient(node.web_url).decide(url.removeprefix(node.web_url), account)
    token = client.log_in(code=Form(answer.text).code, redirect_uri=OOB, scopes=SCOPES)
    return Mastodon(access_token=token, api_base_url=node.web_url)


def test_the_library_posts_edits_reads_home_in_pages_and_deletes(place):
    node = place
    alice, bob = (log_in(node, node.create_account(name)) for name in ("alice", "bob"))
    me = alice.account_verify_credentials()
    assert me.username == "alice" and me.source.privacy == "public"
    assert alice.instance().version.startswith("4.5.0")
    them = alice.account_lookup("bob")
    assert alice.account_follow(them.id).following is True
    assert alice.account_relationships([them.id])[0].following is True

    made = [bob.status_post(f"number {i}") for i in range(9)]
    reply = alice.status_post("an answer", in_reply_to_id=made[-1].id, visibility="unlisted",
                              spoiler_text="care", sensitive=True, language="en")
    assert reply.in_reply_to_id == made[-1].id and reply.visibility == "unlisted"
    first = bob.status_post("once", idempotency_key="k")
    assert bob.status_post("once", idempotency_key="k").id == first.id

    page = alice.timeline_home(limit=4)
    ids = [status.id for status in page]
    while page:
        page = alice.fetch_next(page)
        ids += [status.id for status in page or []]
    expected = [first.id, reply.id] + [status.id for status in reversed(made)]
    assert ids == expected
    newer = alice.timeline_home(min_id=made[0].id, limit=3)
    assert [status.id for status in newer] == [made[3].id, made[2].id, made[1].id]

    edited = bob.status_update(made[0].id, "number 0, better", spoiler_text="new")
    assert edited.edited_at is not None and "better" in edited.content
    versions = bob.status_history(made[0].id)
    assert len(versions) == 2 and "better" in versions[1].content
    assert bob.status_source(made[0].id).text == "number 0, better"
    context = alice.status_context(made[-1].id)
    assert [status.id for status in context.descendants] == [reply.id]

    boost = alice.status_reblog(made[1].id)
    assert boost.reblog.id == made[1].id
    assert alice.status_unreblog(made[1].id).reblogged is False
    assert alice.account_mute(them.id).muting is True
    assert alice.account_unmute(them.id).muting is False
    assert alice.account_block(them.id).blocking is True
    assert alice.account_unblock(them.id).blocking is False

    bob.status_delete(made[2].id)
    with pytest.raises(MastodonNotFoundError):
        bob.status(made[2].id)
    with pytest.raises(MastodonNotFoundError):
        alice.status_delete(made[3].id)
    with pytest.raises(MastodonAPIError):
        bob.status_post("x" * 501)
    posts = bob.account_statuses(them.id)
    assert made[2].id not in [status.id for status in posts] and len(posts) == 9


def test_a_revoked_token_is_refused(place):
    node = place
    account = node.create_account("alice")
    app = Mastodon.create_app("bot", scopes=SCOPES, redirect_uris=OOB, api_base_url=node.web_url)
    client = Mastodon(client_id=app[0], client_secret=app[1], api_base_url=node.web_url)
    url = client.auth_request_url(redirect_uris=OOB, scopes=SCOPES)
    answer = OAuthClient(node.web_url).decide(url.removeprefix(node.web_url), account)
    token = client.log_in(code=Form(answer.text).code, redirect_uri=OOB, scopes=SCOPES)
    other = Mastodon(access_token=token, api_base_url=node.web_url)
    assert other.account_verify_credentials().username == "alice"
    client.revoke_access_token()
    with pytest.raises(MastodonAPIError):
        other.account_verify_credentials()
