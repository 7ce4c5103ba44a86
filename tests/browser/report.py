"""What drd report writes, as a reader's browser shows it.
   report.py DRIVER CHROMIUM PAGES SHOTS [AXE]"""
import os
import sys
import time

from webdriver import Browser

failures = []


def check(good, *words):
    if not good:
        failures.append(" ".join(str(w) for w in words))
        print("FAILED:", *words, flush=True)


def url(pages, name, at=""):
    return "file://" + os.path.join(pages, name) + at


def cursor(b):
    return b.js("return document.querySelector('#bar .now a').textContent")


def in_view(b):
    return b.js("return document.querySelector('#tools > .label').textContent")


def opened(b, page, name):
    """Open it; nothing on the console, nothing asked for but the page itself."""
    begin = time.monotonic()
    b.open(page)
    state = b.ready()
    took = time.monotonic() - begin
    check(state == "true", name, "is not ready:", state)
    console = b.console()
    check(not console, name, "says on the console:", console)
    asked = [u for u in b.requests() if u.split("#")[0] != page.split("#")[0] and not u.startswith(("about:", "blob:"))]
    check(not asked, name, "asks for:", asked)
    return took


def lands(b, name):
    """On the divergence: its row is in view, marked by a sign and not only by colour; the cursor stands on an event of the violation."""
    row = b.js("""const box = document.querySelector('.grid'), row = document.querySelector('.grid tr.divergent');
        if (!row) return null;
        const r = row.getBoundingClientRect(), g = box.getBoundingClientRect();
        return [row.cells[0].textContent, r.top >= g.top && r.bottom <= g.bottom + 1,
                getComputedStyle(row.cells[1]).backgroundImage]""")
    check(row and row[0].startswith("✗") and row[1], name, "does not show the divergent index:", row)
    here = b.js("return document.querySelectorAll('.ring').length")
    check(here >= 1, name, "draws no cursor")
    inside = b.js("""const ring = document.querySelector('.ring').getBoundingClientRect(), rows = document.querySelector('.rows').getBoundingClientRect();
        return ring.top >= rows.top && ring.bottom <= rows.bottom""")
    check(inside, name, "has its cursor out of view")


def every_trace(b, pages):
    for name in sorted(os.listdir(pages)):
        if not (name.startswith("T") and len(name) == 8):
            continue
        took = opened(b, url(pages, name), name)
        check(took < 5, name, "took", round(took, 1), "s to open")
        verdict = b.js("return document.querySelector('h1').textContent")
        check(len(verdict) > 10, name, "has no verdict")
        steps = b.js("return document.querySelectorAll('.chain .step').length")
        if "No property" not in verdict:
            check(3 <= steps <= 12, name, "tells", steps, "steps")
            if "stale read" not in verdict:
                lands(b, name)
        check(b.js("return document.querySelectorAll('.rows svg .lane').length") >= 3, name, "draws no lanes")
        check(b.js("return document.querySelectorAll('.rows svg .arrow').length") >= 1, name, "draws no messages")
        check("Showing" in b.js("return document.querySelector('.shown').textContent"), name,
              "does not say how much it shows")


def steps_lead_everywhere(b, pages):
    opened(b, url(pages, "T07.html"), "T07")
    count = b.js("return document.querySelectorAll('.step').length")
    for i in range(count):
        name = b.js("const a = document.querySelectorAll('.step > div > a.event')[arguments[0]]; a.click(); return a.textContent", i)
        check(cursor(b) == name, "step", i + 1, "leads to", cursor(b), "and not to", name)
        check(b.js("return decodeURIComponent(location.hash)") == "#" + name, "step", i + 1, "is not in the address")
        check(b.js("return document.querySelector('.step.here').dataset.step") == str(i), "step", i + 1, "is not marked")
        check(name in b.js("return document.querySelector('.panel h3').textContent"), "step", i + 1, "is not in the panel")
    grid = b.js("return document.querySelector('.grid').textContent")
    b.js("document.querySelectorAll('.step > div > a.event')[0].click()")
    check(grid != b.js("return document.querySelector('.grid').textContent"), "the logs do not follow the cursor")


def keys_work(b, pages):
    opened(b, url(pages, "T05.html"), "T05")
    start = cursor(b)
    b.press("Left")
    before = cursor(b)
    check(before != start, "the left arrow does not move")
    b.press("Right")
    check(cursor(b) == start, "the right arrow does not go back")
    b.press("Shift", "Left")
    check("sent" in b.js("return document.querySelector('.panel').textContent") or "received" in b.js("return document.querySelector('.panel').textContent"),
          "shift and an arrow do not lead to a message, but to", cursor(b))
    marks = []
    for _ in range(3):
        b.press("d")
        marks.append(cursor(b))
    check(len(set(marks)) > 1, "d does not lead from divergence to divergence:", marks)
    b.press("[")
    check(b.js("return document.querySelectorAll('.step.here').length") == 1, "[ does not lead to a step")
    b.press("/")
    check(b.js("return document.activeElement.type") == "search", "/ does not lead to the search")
    b.press("Escape")
    b.press("?")
    check(b.js("return document.getElementById('help').open"), "? shows no help")
    b.press("Escape")
    check(not b.js("return document.getElementById('help').open"), "the help does not go away")
    b.js("document.querySelector('.rows').focus()")
    b.press("Home")
    first = cursor(b)
    b.press("Down")
    check(cursor(b) != first, "the arrow down does not move in the diagram")
    b.press("End")
    check(cursor(b) != first, "End does not move")


def search_and_filter_work(b, pages):
    opened(b, url(pages, "T05.html"), "T05")
    b.type("#tools input[type=search]", "leader of term 2\ue007")
    check("leader of term 2" in b.js("return document.querySelector('#bar .now').textContent"),
          "the search finds no leader, but", cursor(b))
    name = cursor(b)
    b.js("document.querySelector('#tools input[type=search]').value = ''")
    b.type("#tools input[type=search]", "nothing like this\ue007")
    check(in_view(b) == "Nothing found" and cursor(b) == name, "a search in vain says:", in_view(b))
    b.js("document.querySelector('#tools input[type=search]').value = ''")
    b.type("#tools input[type=search]", "n1@222\ue007")
    check(cursor(b) == "n1@222", "an event's name leads to", cursor(b))
    all_of_it = in_view(b)
    b.click("#tools input[data-group=Elections]")
    check(in_view(b) != all_of_it, "the filter changes nothing:", all_of_it)
    votes = b.js("return [...document.querySelectorAll('.rows svg .arrow.elections')].length")
    check(votes == 0, "votes are drawn that are filtered out")
    b.click("#tools input[data-group=Heartbeats]")
    check(b.js("return document.querySelector('#tools input[data-group=Heartbeats]').checked"), "heartbeats cannot be shown")


def links_work(b, pages):
    opened(b, url(pages, "T05.html", "#n1@222"), "T05#n1@222")
    check(cursor(b) == "n1@222", "a link to n1@222 lands on", cursor(b))
    opened(b, url(pages, "T05.html", "#n1@223000"), "T05#n1@223000")
    check(cursor(b).startswith("n1@"), "a link to an event that is not there lands on", cursor(b))
    for odd in ("#%", "#@", "#n9@1", "#%3Cimg%20src=x%20onerror=hostile=1%3E@1"):
        opened(b, url(pages, "T05.html", odd), "T05" + odd)
    b.js("location.hash = '#n2@150'")
    end = time.monotonic() + 10
    while cursor(b) != "n2@150" and time.monotonic() < end:
        pass
    check(cursor(b) == "n2@150", "a changed address lands on", cursor(b))


def pointer_works(b, pages):
    opened(b, url(pages, "T07.html"), "T07")
    b.js("document.getElementById('space').scrollIntoView()")
    top = b.js("return document.querySelector('.rows').scrollTop")
    b.click(".overview")
    check(b.js("return document.querySelector('.rows').scrollTop") != top,
          "a click in the overview does not move the window")
    before = cursor(b)
    b.click(".rows")
    b.js("""const s = document.querySelector('.spacer'), box = document.querySelector('.rows').getBoundingClientRect();
        for (let y = box.top + 20; y < box.bottom - 20; y += 20)
            s.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: box.left + box.width / 2, clientY: y}));""")
    check(cursor(b) != before, "clicks in the diagram do not move the cursor")
    b.js("scrollTo(0, 0)")
    b.click("button.copy")
    end = time.monotonic() + 10
    while b.js("return document.querySelector('button.copy').textContent") != "Copied" and time.monotonic() < end:
        pass
    check(b.js("return document.querySelector('button.copy').textContent") == "Copied", "the copy button does not copy")


def two_runs(b, pages, shots):
    opened(b, url(pages, "two.html"), "two")
    check(b.js("return document.querySelectorAll('.view').length") == 2, "there are not two diagrams")
    check(b.js("return document.querySelectorAll('.rows svg .apart').length") > 0, "what only one run has is not marked")
    check("parted" in b.js("return document.querySelector('h1').textContent"), "it is not said where the runs parted")
    b.js("document.querySelector('.step a.event').click()")
    first = cursor(b)
    check(first.startswith("A:"), "the first step is not of A, but", first)
    b.press("t")
    check(cursor(b).startswith("B:"), "t does not lead to B")
    heads = b.js("return [...document.querySelectorAll('.grid thead th')].map((th) => th.textContent).join(' ')")
    check("A:n1" in heads and "B:n1" in heads, "the logs of both do not stand side by side:", heads)
    b.js("document.getElementById('space').scrollIntoView()")
    b.screenshot(os.path.join(shots, "two.png"))


def looks(b, pages, shots):
    for dark in (False, True):
        b.dark(dark)
        opened(b, url(pages, "T07.html"), "T07")
        shade = b.js("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
        check(shade < 80 if dark else shade > 200, "the page is not", "dark" if dark else "light")
        word = "dark" if dark else "light"
        b.screenshot(os.path.join(shots, f"top-{word}.png"))
        b.js("document.getElementById('logs').scrollIntoView()")
        b.screenshot(os.path.join(shots, f"logs-{word}.png"))
        b.js("document.getElementById('space').scrollIntoView()")
        b.screenshot(os.path.join(shots, f"diagram-{word}.png"))
    b.dark(False)
    for width in (1400, 800, 390):
        b.size(width, 900)
        opened(b, url(pages, "T07.html"), f"T07 at {width}")
        wide = b.js("return document.documentElement.scrollWidth")
        check(wide <= width, "the page is", wide, "wide in a window of", width)
        b.js("document.getElementById('space').scrollIntoView()")
        b.screenshot(os.path.join(shots, f"width-{width}.png"))
    b.size(1400, 1000)
    b.pdf(os.path.join(shots, "print.pdf"))
    check(os.path.getsize(os.path.join(shots, "print.pdf")) > 20000, "the print is empty")


def without_scripts(b, pages, shots):
    b.scripts(False)
    b.open(url(pages, "T07.html"))
    text = b.do("GET", f"/element/{b.element('main')}/text")
    for words in ("State Machine Safety broken at index 2", "s0@5598", "becomes candidate of term 14",
                  "a leader advances commitIndex",
                  "drd replay", "need JavaScript", "x=A"):
        check(words in text, "without JavaScript there is no:", words)
    b.screenshot(os.path.join(shots, "without-scripts.png"))
    b.scripts(True)


def hostile(b, pages, shots):
    for name in ("hostile.html", "hostile-two.html"):
        opened(b, url(pages, name), name)
        for _ in range(12):
            b.press("d")
            b.press("Left")
        b.type("#tools input[type=search]", "script\ue007\ue007\ue007")
        check(b.js("return typeof hostile") == "undefined", name, "ran what a node said")
        check(b.js("return document.scripts.length") == 2, name, "has scripts of a node")
        found = b.js("""return [...document.querySelectorAll('*')].filter((e) => ['IMG', 'IFRAME', 'B', 'OBJECT', 'EMBED', 'LINK'].includes(e.tagName) ||
            [...e.attributes].some((a) => a.name.startsWith('on') ||
                                   /^javascript:/i.test(a.value))).map((e) => e.outerHTML.slice(0, 100))""")
        check(not found, name, "has markup of a node:", found)
        odd = b.js("return (document.documentElement.textContent.match(/[\\u0000-\\u0008\\u000e-\\u001f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]/g) || []).length")
        check(odd == 0, name, "has", odd, "characters that steer the eye")
        check("\\u202e" in b.js("return document.querySelector('.heads').textContent"), name,
              "hides that there was an override of direction")
        check(not b.console(), name, "says something on the console")
        b.screenshot(os.path.join(shots, name.replace("html", "png")))


def accessible(b, pages, axe):
    with open(axe) as source:
        library = source.read()
    for name, before in (("T07.html", ""), ("T22.html", ""), ("two.html", ""),
                         ("T07.html", "document.getElementById('help').showModal()")):
        for dark in (False, True):
            b.dark(dark)
            opened(b, url(pages, name), name)
            b.js(before)
            b.js(library)
            found = b.js_later("const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations.map("
                               "(v) => [v.impact, v.id, v.help, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120))])))")
            bad = [v for v in found if v[0] in ("serious", "critical")]
            check(not bad, name, "dark" if dark else "light", "is not accessible:", bad)
    b.dark(False)


def main():
    driver, chromium, pages, shots = sys.argv[1:5]
    b = Browser(driver, chromium, os.path.join(shots, "driver.log"))
    try:
        b.size(1400, 1000)
        b.dark(False)
        for test in (every_trace, steps_lead_everywhere, keys_work, search_and_filter_work, links_work, pointer_works):
            test(b, pages)
        for test in (two_runs, looks, without_scripts, hostile):
            test(b, pages, shots)
        if len(sys.argv) > 5:
            accessible(b, pages, sys.argv[5])
    finally:
        b.close()
    return 1 if failures else 0


sys.exit(main())
