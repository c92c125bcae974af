#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tool web_search against a stand-in for Tavily: arguments, results, refusals, retries (W2, W16, W43 to W45)."""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))

from harness import BUILD, diag, done, free_port, is_, ok     # noqa: E402
import tavily       # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "programs", "web-search-cli")
KEY = "tvly-good"


class Search:
    """One process with the tool and its settings."""

    def __init__(self, peer=None, deadline_ms=None, **settings):
        if peer:
            settings.setdefault("TAVILY_API_URL", peer.url)
            settings.setdefault("TAVILY_API_KEY", KEY)
        self.log = tempfile.TemporaryFile("w+")
        env = dict(os.environ, **({"DEADLINE_MS": str(deadline_ms)} if deadline_ms else {}))
        self.process = subprocess.Popen([PROGRAM] + [f"{k}={v}" for k, v in settings.items() if v is not None],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        self.said = []
        while not self.said or self.said[-1] not in ("enabled", "not enabled"):
            self.said.append(self.process.stdout.readline().strip())

    def call(self, query="cats", **arguments):
        self.process.stdin.write(json.dumps({"query": query, **arguments}) + "\n")
        self.process.stdin.flush()
        self.result = json.loads(self.process.stdout.readline() + "}")
        return self.result

    @property
    def text(self):
        return "".join(block["text"] for block in self.result["content"] or [])

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        if self.process.wait(30):
            ok(False, f"the program ended with {self.process.returncode}")
            diag(self.logged())
        self.process.stdout.close()
        self.log.close()


def test_plain(t):
    with Search(t) as s:
        r = s.call("who is Leo Messi?")
        is_((r["err"], r["isError"], r["faults"]), (0, False, ""),
            "W2: a search gives a result that fits the output schema")
        is_(r["structured"]["query"], "who is Leo Messi?", "with the query")
        is_(len(r["structured"]["results"]), 5, "and five results")
        is_(r["structured"]["results"][0], {"title": "Result 0", "url": "https://site0.example/page", "content":
            "Text about who is Leo Messi?, part 0.", "score": 0.9}, "each with title, URL, content and score")
        ok(s.text.startswith("Detailed Results:\n\nTitle: Result 0\nURL: https://site0.example/page\nContent: Text "),
           "the text is the readable form")
        sent = t.last("search")
        is_((sent.method, sent.path), ("POST", "/search"), "it is a POST to /search")
        is_(sent.headers["authorization"], "Bearer " + KEY, "with the key as bearer token")
        is_(sent.json(), {"query": "who is Leo Messi?"}, "what is not given is not sent")
        ok("x-project-id" not in sent.headers and "x-tavily-access-mode" not in sent.headers, "nor are other headers")
        s.call("x" * 400)
        is_(s.result["isError"], False, "a query of 400 characters is fine")
        s.call("\u20ac" * 400)
        is_(s.result["isError"], False, "characters are counted, not bytes")
        s.call("nothing")
        is_((s.text, s.result["structured"]["results"]), ("No results were found.\n", []),
            "no results are said to be none")
    with Search(t, TAVILY_PROJECT="p-1", TAVILY_API_URL=t.url + "/") as s:
        s.call()
        is_((t.last("search").headers["x-project-id"], t.last().path), ("p-1", "/search"),
            "TAVILY_PROJECT and a URL with a slash")


def test_arguments(t):
    every = {"search_depth": "advanced", "topic": "general", "max_results": 3, "chunks_per_source": 2,
             "time_range": "week",
             "include_domains": ["a.example"], "exclude_domains": ["b.example", "c.example"],
             "country": "united kingdom",
             "include_answer": "advanced", "include_raw_content": "markdown", "include_images": True,
             "include_image_descriptions": True,
             "include_favicon": True, "auto_parameters": True, "exact_match": True, "safe_search": True,
             "include_usage": True}
    with Search(t) as s:
        r = s.call("all", **every)
        is_((r["isError"], r["faults"]), (False, ""), "all arguments at once give a result that fits the schema")
        is_(t.last("search").json(), {"query": "all", **every}, "and all are sent as given")
        first = r["structured"]["results"][0]
        is_((first["raw_content"], first["favicon"], first["images"]),
            ("# Page 0\n\nAll of it.", "https://site0.example/favicon.ico", [{"url": "https://site0.example/a.png"}]),
            "with what they add to results")
        is_((r["structured"]["answer"], r["structured"]["images"], r["structured"]["usage"],
             r["structured"]["auto_parameters"]),
            ("A short answer.", [{"url": "https://img.example/1.png", "description": "a picture"}], {"credits": 1},
             {"topic": "general", "search_depth": "basic"}), "and to the whole")
        ok(s.text.startswith("Answer: A short answer.\n\nDetailed Results:\n") and "Raw Content: # Page 0" in s.text and
           "Favicon: https://site0" in s.text and "- https://img.example/1.png\n  a picture\n" in s.text,
           "the text has them too")
        s.call("news", topic="news", days=3, max_results=1)
        is_(t.last("search").json(), {"query": "news", "topic": "news", "days": 3, "max_results": 1},
            "days with topic news")
        ok("Published: Mon, 03 Aug 2026" in s.text, "news have their date")
        s.call("dates", start_date="2026-01-01", end_date="2026-01-31", time_range="week")
        is_(t.last("search").json(), {"query": "dates", "start_date": "2026-01-01", "end_date": "2026-01-31"},
            "dates win over time_range")
        s.process.stdin.write('{"query":"n","max_results":3.0}\n')
        s.process.stdin.flush()
        s.result = json.loads(s.process.stdout.readline() + "}")
        is_((s.result["isError"], type(t.last("search").json()["max_results"])), (False, int), "3.0 is sent as 3")
        s.call("empty", include_domains=[])
        is_(t.last("search").json(), {"query": "empty"}, "an empty list is not sent")
        before = t.count()
        for arguments in ({"query": ""}, {"query": "x" * 401}, {"query": 5}, {"max_results": 21}, {"max_results": -1},
                          {"max_results": "5"},
                          {"max_results": 2.5}, {"topic": "sports"}, {"search_depth": "deep"}, {"chunks_per_source": 0},
                          {"chunks_per_source": 4},
                          {"time_range": "decade"}, {"country": "narnia"}, {"country": "Germany"},
                          {"include_answer": "yes"},
                          {"include_raw_content": "html"}, {"include_images": "true"}, {"include_domains": "a.example"},
                          {"include_domains": ["x"] * 301}, {"exclude_domains": ["x"] * 151}, {"include_domains": [5]},
                          {"unknown": 1},
                          {"start_date": "yesterday"}, {"safe_search": 1}, {"api_key": "x"}):
            arguments = {"query": "cats", **arguments}
            r = s.call(arguments.pop("query"), **arguments)
            ok(r["faults"] != "", f"the schema refuses {str(arguments)[:60]}")
        for arguments, word in (({"query": "  "}, "query is empty"),
                                ({"country": "france", "topic": "news"}, "topic general"),
                                ({"start_date": "2026-13-01"}, "start_date"), ({"end_date": "2026-1-001"}, "end_date"),
                                ({"start_date": "2026-02-01", "end_date": "2026-01-01"}, "after end_date"),
                                ({"days": 3}, "topic news"),
                                ({"chunks_per_source": 2, "search_depth": "ultra-fast"}, "ultra-fast"),
                                ({"safe_search": True, "search_depth": "fast"}, "safe_search")):
            arguments = {"query": "cats", **arguments}
            r = s.call(arguments.pop("query"), **arguments)
            ok(r["isError"] and word in s.text, f"what cannot go together is told: {s.text}")
        is_(t.count(), before, "none of these cost a request")
        s.call("country", country="france")
        is_(s.result["isError"], False, "a country without a topic is fine")


def test_refusals(t):
    cases = ((400, "did not accept"), (401, "rejected the API key"), (403, "does not permit"),
             (429, "too many requests"), (432, "used up"),
             (433, "pay-as-you-go"), (418, "cannot be used"), (302, "cannot be used"), (500, "in trouble"),
             (503, "in trouble"))
    for status, words in cases:
        t.forget()
        with Search(t) as s:
            r = s.call(f"status {status}")
            ok(r["err"] == 0 and r["isError"] and words in s.text, f"status {status} is a tool error: {s.text[:100]}")
            is_(r["structured"], None, "without a structured result")
            ok(f"Tavily answered {status}" in s.logged() and "r1" in s.logged(), "and a log line")
            ok(f"status {status}" not in s.logged(), "that does not have the query in it")
            ok(KEY not in s.logged() + s.text, "or the key")
            is_(t.count("search"), 2 if status in (429, 500, 503) else 1,
                "it was asked " + ("twice" if status in (429, 500, 503) else "once"))
    t.forget()
    with Search(t, TAVILY_API_KEY="tvly-wrong") as s:
        s.call()
        ok(s.result["isError"] and "operator" in s.text, "W44: a wrong key is told as something for the operator")
        ok("ERROR" in s.logged(), "W44: and logged as an error")
    for status in (429, 500, 503):
        t.forget()
        with Search(t) as s:
            s.call(f"status {status} once")
            is_((s.result["isError"], t.count("search")), (False, 2), f"a second try mends a {status}")


def test_shapes(t):
    for body, words in (('{"detail":"plain text"}', "It says: plain text"),
                        ('{"detail":[{"loc":["body","topic"],"msg":"bad"},{"msg":"worse"}]}',
                         "It says: topic: bad; worse"), ('{"error":"text"}', "It says: text"), ("<html>", None),
                         ("", None), ("[]", None), ("{}", None),
                        ('{"detail":{"error":5}}', None),
                        (json.dumps({"detail": {"error": "a\x00b\x1b[0m\nc" + "y" * 1000}}), "It says: a")):
        t.behave("search", "status", 400, body)
        with Search(t) as s:
            s.call()
            plain = "The search service did not accept this search."
            ok(s.result["isError"] and (words in s.text if words else s.text == plain),
               f"an error of the shape {body[:40]!r} is told")
            ok(len(s.text) < 500 and "\x1b" not in s.text, "short and clean")
    t.forget()
    for how in (("html",), ("empty",), ("truncated",), ("body", "[]"), ("body", '{"results":{}}'), ("body", "{}"),
                ("type", "text/html")):
        t.behave("search", *how)
        with Search(t) as s:
            s.call()
            good = how[0] == "type"
            ok(s.result["err"] == 0 and s.result["isError"] != good,
               f"a 200 that is {how[0]} {'is read' if good else 'is a tool error'}: {s.text[:70]}")
    for body in ('{"results":[]}', '{"results":[null,5,"x",[]]}', '{"results":[{}]}',
                 '{"results":[{"title":5,"url":null,"content":[]}]}',
                 '{"results":[{"title":"t","url":"u","content":"c","score":"high","images":[5,{},"u",{"url":"v"}]}],'
                 '"images":"x","usage":5}'):
        t.behave("search", "body", body)
        with Search(t) as s:
            s.call()
            ok(s.result["faults"] == "" and "unfit" not in s.result and not s.result["isError"],
               f"an odd answer still fits the schema: {body[:50]}")


def test_text(t):
    with Search(t) as s:
        s.call("nasty", max_results=1)
        # The stand-in sends NUL as an escape, which strict JSON does not take; it becomes U+FFFD.
        is_(s.result["structured"]["results"][0]["title"], "A\ufffd[31m BCDE",
            "control and hidden characters are left out of titles")
        is_(s.result["structured"]["results"][0]["content"], "one\ntwo\tthreefourfive",
            "and of content, where line ends and tabs stay")
        s.call("broken", max_results=1)
        is_(s.result["structured"]["results"][0]["title"], "\ufffd\ufffd x\ufffd \U0001f600 \\u0000 0",
            "one broken escape does not cost the search")
        s.call("huge", max_results=20, include_raw_content=True)
        r = s.result["structured"]
        is_((len(r["results"]), r["truncated"]), (20, True), "very long results are cut, and it is said")
        ok(r["results"][0]["content"].endswith("\u20ac [...]"), "between characters")
        ok(len(json.dumps(r, ensure_ascii=False).encode()) < 450 * 1024, "to 400 KiB in all")


def test_network(t):
    with Search(TAVILY_API_URL=f"http://127.0.0.1:{free_port()}", TAVILY_API_KEY=KEY) as s:
        s.call()
        ok(s.result["isError"] and "cannot be reached" in s.text, "a service that is down is a tool error")
    for how in ("reset", "close", "short"):
        t.behave("search", how)
        with Search(t) as s:
            s.call()
            ok(s.result["isError"] and "cannot be reached" in s.text, f"so is one that breaks off ({how})")
    t.behave("search", "hang")
    with Search(t, TAVILY_TIMEOUT_S=1) as s:
        s.call()
        ok(s.result["isError"] and "in time" in s.text and s.result["ms"] < 8000,
           f"TAVILY_TIMEOUT_S bounds a search ({s.result['ms']} ms)")
    with Search(t, deadline_ms=1000) as s:
        s.call()
        ok(s.result["isError"] and s.result["ms"] < 8000, f"the call's deadline too ({s.result['ms']} ms)")
    t.behave("search", "drip")
    with Search(t, TAVILY_TIMEOUT_S=1) as s:
        s.call()
        ok(s.result["isError"] and s.result["ms"] < 8000, "a byte a second as well")
    t.behave("search", "oversize")
    with Search(t) as s:
        s.call()
        ok(s.result["isError"] and "more than can be handled" in s.text, "an endless answer is refused")
    t.behave("search", "redirect", 302, "/other")
    with Search(t) as s:
        s.call()
        ok(s.result["isError"] and t.count("other") == 0, "a redirect is not followed")


def test_retry_after(t):
    t.retry_after = "1"
    with Search(t) as s:
        s.call("status 429 once")
        ok(not s.result["isError"] and 1000 <= s.result["ms"] < 8000, f"Retry-After is honoured ({s.result['ms']} ms)")
    t.forget()
    t.retry_after = "60"
    with Search(t) as s:
        s.call("status 429 once")
        ok(s.result["isError"] and "in 60 seconds" in s.text and s.result["ms"] < 4000, "a long one is told instead")
        is_(t.count("search"), 1, "without a second try")
    t.forget()
    t.retry_after = "3"
    with Search(t, TAVILY_TIMEOUT_S=2) as s:
        s.call("status 429 once")
        ok(s.result["isError"] and t.count("search") == 1, "nor is there one when the time would not do")


def test_settings(t):
    with Search() as s:
        is_(s.said, ["not enabled"], "W16: without a key the tool is not offered")
    with Search(TAVILY_KEYLESS="on", TAVILY_API_URL=t.url) as s:
        is_(s.said, ["enabled"], "TAVILY_KEYLESS offers it without one")
        s.call()
        sent = t.last("search").headers
        is_((sent.get("x-tavily-access-mode"), sent.get("authorization")), ("keyless", None), "and says so to Tavily")
        s.call("keyless limit")
        ok("Keyless limit reached." in s.text and "1234 seconds" in s.text, f"whose limit is told: {s.text}")
    with Search(t, DEFAULT_PARAMETERS='{"max_results": 2, "search_depth": "advanced", "include_answer": true}') as s:
        s.call("d", search_depth="fast")
        is_(t.last("search").json(), {"query": "d", "search_depth": "fast", "max_results": 2, "include_answer": True},
            "DEFAULT_PARAMETERS fill in what is not given")
    with Search(t, DEFAULT_PARAMETERS='{"chunks_per_source": 3}') as s:
        s.call("d", search_depth="ultra-fast")
        is_((s.result["isError"], "chunks_per_source" in t.last("search").json()), (False, False),
            "a default that does not fit a call is left out")
    for name, value in (("DEFAULT_PARAMETERS", "{"), ("DEFAULT_PARAMETERS", "[]"),
                        ("DEFAULT_PARAMETERS", '{"max_results": 50}'),
                        ("DEFAULT_PARAMETERS", '{"nonsense": 1}'), ("TAVILY_API_URL", "http://example.com"),
                        ("TAVILY_API_URL", "ftp://x"),
                        ("TAVILY_API_KEY", "tvly\r\nHost: x"), ("TAVILY_API_KEY", "tvly good"),
                        ("TAVILY_PROJECT", "a\nb"), ("TAVILY_TIMEOUT_S", "0"),
                        ("TAVILY_TIMEOUT_S", "121"), ("TAVILY_KEYLESS", "maybe")):
        with Search(t, **{name: value}) as s:
            ok(any(line.startswith("error") and name in line for line in s.said),
               f"W43: a bad {name} is an error of the configuration")
            ok(not any("tvly" in line for line in s.said), "that does not show the key")


def main():
    for test in (test_plain, test_arguments, test_refusals, test_shapes, test_text, test_network, test_retry_after,
                 test_settings):
        with tavily.Tavily() as t:
            test(t)
    done()


if __name__ == "__main__":
    main()
