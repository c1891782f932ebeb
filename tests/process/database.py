"""SQL on the database of a running node: what a test looks at, and what it changes behind the API."""

import sqlite3

import psycopg2


def rows(node, sql, values=()):
    """Runs one statement (`?` for values) and returns its rows; what it changes is committed."""
    if node.postgres:
        with psycopg2.connect(node.postgres) as connection, connection.cursor() as cursor:
            cursor.execute(sql.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []
    connection = sqlite3.connect(node.data / "trunkline.db", timeout=20)
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def one(node, sql, values=()):
    return rows(node, sql, values)[0][0]


TABLES = ("account", "post", "post_edit", "mention", "post_tag", "tag", "follow", "block", "mute",
          "favourite", "app", "token", "log", "audience")


def picture(node):
    """How many rows every table has: a refusal must leave it as it is."""
    return {table: one(node, f"SELECT COUNT(*) FROM {table}") for table in TABLES}
