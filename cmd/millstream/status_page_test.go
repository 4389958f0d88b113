package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// browsers are the names of the one that the page is looked at with.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// An openPage is the page as a browser shows it, with 500 sessions and 5000 messages.
type openPage struct {
	browser, url string
}

// openStatus serves the page; the test is skipped where there is no browser.
func openStatus(t *testing.T, h *history) *openPage {
	t.Helper()
	return openStatusOf(t, statusMux(h, 500))
}

// openStatusOf is openStatus for what serves the page in its own way.
func openStatusOf(t *testing.T, h http.Handler) *openPage {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			return &openPage{path, server.URL}
		}
	}
	t.Skipf("none of %v is installed", browsers)
	return nil
}

// run starts the browser and returns what it prints. The page must have no error.
func (p *openPage) run(t *testing.T, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home := t.TempDir()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr", "--no-proxy-server",
		"--user-data-dir=" + home, "--virtual-time-budget=5000", "--window-size=1280,1000",
	}, args...)
	c := exec.CommandContext(ctx, p.browser, append(args, p.url+path)...)
	c.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	c.WaitDelay = time.Second
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, errOut.String())
	}
	for line := range strings.Lines(errOut.String()) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("%s: the page has an error: %s", path, line)
		}
	}
	return out.String()
}

// dump returns what the page has become.
func (p *openPage) dump(t *testing.T, path string) string {
	t.Helper()
	return p.run(t, path, "--dump-dom")
}

// pageRows counts the rows of a table.
func pageRows(page, table string) int {
	_, rest, _ := strings.Cut(page, `id="`+table+`"`)
	rest, _, _ = strings.Cut(rest, "</table>")
	_, rest, _ = strings.Cut(rest, "<tbody>")
	return strings.Count(rest, "<tr")
}

// pageText returns the page without its tags.
func pageText(page string) string {
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " ")
}

// busyHistory is full, and its messages have come within the last minutes.
func busyHistory() *history {
	h := newHistory(0)
	begin := time.Now().Add(-historySpan * time.Second)
	for i := range historyMessages {
		at := begin.Add(historySpan * time.Second * time.Duration(i) / historyMessages)
		h.now = func() time.Time { return at }
		line := sampleLine(i)
		line.Result.Start, line.Result.End = at, at.Add(line.Result.Elapsed())
		h.add(line)
		h.sample(400 + i/50 + i%13)
	}
	h.now = time.Now
	return h
}

func TestStatusPageIsFilled(t *testing.T) {
	page := openStatus(t, busyHistory()).dump(t, "/")
	if n := pageRows(page, "sessions"); n != 500 {
		t.Errorf("%d sessions are shown", n)
	}
	if n := pageRows(page, "messages"); n != 100 {
		t.Errorf("%d messages are shown", n)
	}
	text := pageText(page)
	for _, want := range []string{
		"100 of 5000", "500, 100 with an answer pending", "live", "4TQ01387", "sender4999@example.org", "rcpt99@example.net +1",
		"192.0.2.249 mx1.example.org", "Messages per second", "p99", "now", "end-of-message-replied", "127.0.0.1:30000", "greylist",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q on the page", want)
		}
	}
	if n := strings.Count(page, `<path class="line" d="M`); n < 8 {
		t.Errorf("%d lines are plotted", n)
	}
	if regexp.MustCompile(`NaN|undefined|\[object`).MatchString(page) {
		t.Error("the page shows what is no value")
	}
}

func TestStatusPageSearches(t *testing.T) {
	p := openStatus(t, busyHistory())
	for _, tt := range []struct {
		query string
		rows  int
		count string
	}{
		{"/?q=sender4711@", 1, "1 of 1 found among 5000"},
		{"/?q=rcpt:rcpt42@&verdict=reject,tempfail,discard,quarantine", 16, "16 of 16 found among 5000"},
		{"/?handler=clamav&verdict=accept", 100, "100 of 555 found among 5000"},
		{"/?q=nothing-has-this", 0, "No message is found."},
	} {
		page := p.dump(t, tt.query)
		if n := pageRows(page, "messages"); n != tt.rows || !strings.Contains(pageText(page), tt.count) {
			t.Errorf("%s: %d rows, want %d", tt.query, n, tt.rows)
		}
	}
}

func TestStatusPageShowsATimeline(t *testing.T) {
	p := openStatus(t, busyHistory())
	page := p.dump(t, "/#4991")
	_, dialog, ok := strings.Cut(page, "<dialog")
	tag, dialog, _ := strings.Cut(dialog, ">")
	if !ok || !strings.Contains(tag, "open") {
		t.Fatalf("no timeline is open: %s", tag)
	}
	text := pageText(dialog)
	for _, want := range []string{
		"Message 4TQ0137E", "Verdict tempfail", "Reply 451 4.7.1 please try again in a minute", "Decided by greylist", "envelope-recipient ×2",
		"clamav", "failed", "none needed", "store: connection refused", "Trace id 0000000000000000000000000000137f", "1 header added",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %s", want, text)
		}
	}
	if n := strings.Count(dialog, "<rect"); n != 7 {
		t.Errorf("%d bars are drawn", n)
	}
	if text := pageText(p.dump(t, "/#999999")); !strings.Contains(text, "this message is not kept") {
		t.Error("a message that is not kept is not told to be gone")
	}
}

// TestStatusPageShowsHostileMail looks at a mail that is written to be run.
func TestStatusPageShowsHostileMail(t *testing.T) {
	h := newHistory(0)
	const script = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">"'&lt;`
	line := sampleLine(4)
	line.QueueID, line.Helo, line.Host, line.Client.IP = script, script, script, line.Client.IP.Next()
	line.Result.From, line.Result.Recipients, line.Result.Rejected = script, []string{script, script}, []string{script}
	line.Result.Reply, line.Result.By, line.Result.QuarantineReason, line.Result.ChangedFrom = script, script, script, script
	line.Visits[0].Handler, line.Listener = script, script
	h.add(line)
	page := openStatus(t, h).dump(t, "/?q=%3Cscript%3Edocument.title=%27taken%27%3C/script%3E&handler=%3Cimg%20src=x%3E#1")
	page += openStatus(t, h).dump(t, "/#1")
	if !strings.Contains(page, "<title>millstream</title>") || strings.Contains(page, "<title>taken") {
		t.Error("the script of a mail was run")
	}
	withoutOptions := regexp.MustCompile(`(?s)<option[^>]*>`).ReplaceAllString(page, "") // values are not run
	if strings.Contains(withoutOptions, "<script>") || strings.Contains(withoutOptions, "<img") {
		t.Error("the HTML of a mail is part of the page")
	}
	if n := strings.Count(page, "&lt;script&gt;document.title='taken'&lt;/script&gt;&lt;img src=x"); n < 15 {
		t.Errorf("the mail is shown as text %d times only", n)
	}
}

// statusDriver is put behind the script of the page: it presses keys and looks at
// what they do.
const statusDriver = `
const done = [];
const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
const check = (what, ok) => done.push((ok ? "good: " : "bad: ") + what);
async function until(f) { while (!f()) await new Promise((r) => setTimeout(r, 20)); }
async function drive() {
  const rows = $("messages").tBodies[0].rows;
  await until(() => rows.length === 100 && [...rows].some((r) => r.textContent.includes("late@example.org")));
  check("a new message is on top", rows[0].textContent.includes("late@example.org"));
  key("/");
  check("a slash goes to the search", document.activeElement === $("q"));
  key("/");
  check("a slash can be searched for", document.activeElement === $("q"));
  $("q").value = "sender4711@";
  $("q").dispatchEvent(new Event("input"));
  await until(() => rows.length === 1);
  check("the search is in the address", location.search === "?q=sender4711%40");
  key("Escape");
  await until(() => rows.length === 100);
  check("escape clears the search", location.search === "" && $("q").value === "");
  check("the tab key goes to one row", document.querySelectorAll('#messages tr[tabindex="0"]').length === 1);
  rows[0].focus();
  key("ArrowDown");
  key("ArrowDown");
  key("ArrowUp");
  check("arrows go from row to row", document.activeElement === rows[1]);
  key("Enter");
  await until(() => $("timeline").open);
  check("enter opens the timeline", location.hash === "#" + rows[1].dataset.id);
  $("close").click();
  await until(() => location.hash === "");
  check("it closes, and the row has the focus", !$("timeline").open && document.activeElement === rows[1]);
  $("older").click();
  await until(() => rows.length === 200);
  check("older messages come below", new Set([...rows].map((r) => r.dataset.id)).size === 200);
  $("sessions").tBodies[0].rows[0].click();
  await until(() => rows.length < 10);
  check("a session has its messages shown", $("q").value === "session:" + $("sessions").tBodies[0].rows[0].dataset.id);
  $("pause").click();
  check("it can be paused", $("state").textContent === "paused");
  $("pause").click();
  await until(() => $("state").textContent === "live");
}
drive().catch((err) => check(err.message, false)).finally(() => document.body.append("driven. " + done.join(". ")));
`

func TestStatusPageTakesKeys(t *testing.T) {
	h := busyHistory()
	mux := statusMux(h, 500)
	var late sync.Once
	page := openStatusOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("after") != "" {
			late.Do(func() {
				line := sampleLine(1)
				line.Result.From = "late@example.org"
				h.add(line)
			})
		}
		mux.ServeHTTP(w, r)
		if r.URL.Path == "/status.js" {
			_, _ = io.WriteString(w, statusDriver)
		}
	})).run(t, "/", "--dump-dom", "--virtual-time-budget=20000")
	_, result, ok := strings.Cut(pageText(page), "driven. ")
	if !ok || strings.Contains(result, "bad: ") || strings.Count(result, "good: ") != 12 {
		t.Errorf("the page was driven so far: %q", result)
	}
}
