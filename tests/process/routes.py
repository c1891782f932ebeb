"""The routes of the client API as its table names them: a new one is tested as soon as it is there."""

import dataclasses
import re

from node import ROOT

TABLE = ROOT / "api" / "client_api.cpp"
ROW = re.compile(r'\{(get|post|put|patch|del), "([^"]+)", (open|token|user|server), "([^"]*)",\s*(\w+)\}')


@dataclasses.dataclass(frozen=True)
class Route:
    method: str   # "GET"
    pattern: str  # "/api/v1/statuses/{}"
    access: str   # "open", "token", "user" or "server"
    scope: str
    handler: str

    def path(self, *segments):
        path = self.pattern
        for segment in segments:
            path = path.replace("{}", str(segment), 1)
        assert "{}" not in path, (self, segments)
        return path


def client_routes():
    table = re.search(r"constexpr auto routes = .*?\n\}\);", TABLE.read_text(), re.S).group()
    rows = [Route({"del": "DELETE"}.get(method, method.upper()), *rest)
            for method, *rest in ROW.findall(table)]
    assert rows and len(rows) == len(re.findall(r"^ +\{\w+,", table, re.M)), "a row was not read"
    return rows
