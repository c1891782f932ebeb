"""The verdict of these tests finds whatever is wrong with what was acknowledged."""

import psycopg2

from cluster import Cluster
from cluster_load import Load
from cluster_peer import Peer, object_of
from node import eventually


def as_stranger(cluster, sql, values=()):
    """Changes the database as a node would that owns nothing."""
    with psycopg2.connect(cluster.database.url, application_name="n9") as connection, \
            connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount


def test_what_is_lost_doubled_foreign_undelivered_or_out_of_order_is_found(server, network):
    with Cluster(server, "oracle", count=1, network=network) as cluster, Peer() as peer, \
            Load(cluster, peer, pause=0.1) as load:
        assert eventually(lambda: load.acknowledged_of("post", "note", "edit", "delete"), 60)
        load.finish()
        verdict = load.verdict()
        assert verdict.posts and verdict.notes and verdict.changes and not any((
            verdict.lost, verdict.doubled, verdict.undelivered, verdict.out_of_order,
            verdict.foreign)), verdict

        changed = {deed.uri for deed in load.of_kind("edit") + load.of_kind("delete")}
        lost, twin, other = [deed for deed in load.of_kind("post") if deed.uri not in changed][:3]
        told_twice, told_never = load.of_kind("note")[:2]
        notices = "notification WHERE post_id = (SELECT id FROM post WHERE uri = %s)"
        for sql, values in (
                ("DELETE FROM post WHERE id = %s", (lost.id,)),
                ("UPDATE post SET text = %s WHERE id = %s", (twin.text, other.id)),
                ("INSERT INTO notification SELECT -id, account_id, 99, from_id, post_id, at FROM "
                 + notices, (told_twice.uri,)),
                ("DELETE FROM " + notices, (told_never.uri,))):
            assert as_stranger(cluster, sql, values) == 1, sql
        peer.host.received.remove(other.uri + "/activity")
        edited = load.of_kind("edit")[0].uri
        order = [name for name in peer.host.received
                 if object_of(peer.host.bodies[name]) == edited]
        peer.host.received.remove(order[0])
        peer.host.received.append(order[0])

        verdict = load.verdict()
        print(f"oracle: {verdict}")
        assert sorted(verdict.lost) == sorted([lost.text, other.text, told_never.text])
        assert sorted(verdict.doubled) == sorted([twin.text, told_twice.text])
        assert verdict.undelivered == [other.text]
        assert {uri for uri, _ in verdict.out_of_order} == {edited}
        assert verdict.foreign == {("n9", "post"): 2, ("n9", "notification"): 2}
