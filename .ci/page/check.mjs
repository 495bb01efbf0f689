// Opens pages from file:// in headless Chromium, in light and dark, as wide as a desk and as a phone. Fails on any message of the console
// that is an error, any request beside the page itself, any violation that axe-core calls serious or critical, any number that is not
// the report's, and any hostile text that became more than text.
//
//     node check.mjs SHOTS PAGE=JSON...          (SHOTS: a folder for the screenshots; JSON: what the page was made from)
//
// CHROMIUM names the browser, by default `chromium`.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browserPath = process.env.CHROMIUM || execFileSync("sh", ["-c", "command -v chromium"]).toString().trim();
const [shots, ...pairs] = process.argv.slice(2);
if (!shots || !pairs.length) throw new Error("usage: node check.mjs SHOTS PAGE=JSON...");
mkdirSync(shots, { recursive: true });

const WIDTHS = [1280, 390];
const SCHEMES = ["light", "dark"];
const problems = [];

/** The value at a JSON pointer; the names in this program's reports hold neither `/` nor `~`. */
const at = (json, pointer) => pointer.split("/").slice(1).reduce((value, key) => value?.[key], json);

/** How a reader may see a number: written here once more, so that the page's own wording is checked against another. */
function forms(value) {
  const size = (x, digits) => Math.abs(x).toFixed(digits);
  const minus = (x, text, plus = "") => (/^[0.]*$/.test(text) ? text : (x < 0 ? "−" : plus) + text);
  const points = minus(value, size(value * 100, 1));
  const ratio = value >= 99.95 ? value.toFixed(0) : value >= 1.95 ? value.toFixed(1) : value.toFixed(2);
  const whole = minus(value, size(value * 100, 0), "+");
  return [points + " %", points, minus(value, size(value * 100, 1), "+"), whole, ratio, value.toFixed(2),
    value < 0.0001 ? "<0.0001" : value.toFixed(4), value.toLocaleString("en")];
}

/** A difference of one in the last digit is how two languages round a half. */
const like = (shown, value) => [0, 1e-12, -1e-12].some((nudge) => forms(value * (1 + nudge)).includes(shown));

async function look(browser, file, json) {
  const name = basename(dirname(file)) + "-" + basename(file, ".html");
  const say = (text) => problems.push(`${file}: ${text}`);
  const report = JSON.parse(readFileSync(json, "utf8"));
  for (const scheme of SCHEMES) {
    for (const width of WIDTHS) {
      const page = await browser.newPage();
      page.on("console", (message) => { if (["error", "warn"].includes(message.type())) say(`console: ${message.text()}`); });
      page.on("pageerror", (error) => say(`script: ${error.message}`));
      page.on("request", (request) => { if (request.url().split("#")[0] !== pathToFileURL(file).href) say(`request: ${request.url()}`); });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.setViewport({ width, height: 900, deviceScaleFactor: 1 });
      await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
      await page.evaluate(axe);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const { id, impact, nodes } of found.violations) {
        const where = nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary?.split("\n")[1] ?? ""}`).join(" | ");
        if (["serious", "critical"].includes(impact)) say(`axe, ${scheme} ${width}: ${id} (${impact}): ${where}`);
        else console.log(`${file}: axe, ${scheme} ${width}: ${id} (${impact}): ${where}`);
      }
      const across = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (across > 0) say(`${width} px: the page is ${across} px too wide`);
      await page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`), fullPage: true });
      if (width === 1280) await unfolded(page, say, scheme);
      if (scheme === "light" && width === 1280) await numbers(page, report, say);
      if (scheme === "light" && width === 1280) await behave(page, say, shots, name);
      await page.close();
    }
  }
}

/** What is folded away is as accessible as the rest. Long lists of answers are cut first: one row is like the other. */
async function unfolded(page, say, scheme) {
  if (!(await page.$("details"))) return;
  await page.evaluate(() => {
    document.querySelectorAll("details").forEach((d) => { d.open = true; });
    document.querySelectorAll("details.given tbody:nth-of-type(n + 4)").forEach((body) => body.remove());
  });
  const found = await page.evaluate(() => axe.run("details", { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of found.violations.filter((v) => ["serious", "critical"].includes(v.impact))) {
    say(`axe, ${scheme}, unfolded: ${id} (${impact}): ${nodes.slice(0, 3).map((n) => n.target).join(" | ")}`);
  }
  await page.reload({ waitUntil: "load" });
}

/** Every number with a pointer is the report's, and is shown as it should be. */
async function numbers(page, report, say) {
  const shown = await page.$$eval("data[data-of]", (all) => all.map((d) => [d.dataset.of, d.value, d.textContent]));
  for (const [pointer, value, text] of shown) {
    const own = at(report, pointer);
    if (typeof own !== "number" || Number(value) !== own) say(`${pointer} is ${own} in the report and ${value} in the page`);
    else if (!like(text, own)) say(`${pointer}: ${own} is shown as ${text}`);
  }
  if (shown.length < 20) say(`only ${shown.length} numbers name their place in the report`);
  console.log(`${shown.length} numbers are the report's`);
}

/** Nothing that came from outside is more than text; the search finds what is there; addresses open what is folded. */
async function behave(page, say, shots, name) {
  const made = await page.evaluate(() => ({
    images: document.images.length,
    scripts: document.scripts.length,
    frames: document.querySelectorAll("iframe, object, embed, link, base, meta[http-equiv=refresh]").length,
    hit: typeof window.hit,
    pictures: document.querySelectorAll("svg.plot").length,
    unnamed: document.querySelectorAll("svg.plot:not([aria-label])").length,
  }));
  if (made.images || made.scripts !== 1 || made.frames || made.hit !== "undefined") say(`something was made of a text: ${JSON.stringify(made)}`);
  if (!made.pictures || made.unnamed) say(`pictures without words: ${JSON.stringify(made)}`);
  if (!(await page.$(".find:not([hidden])"))) return;
  const first = await page.$eval("details.given tbody td", (cell) => cell.firstChild.textContent.trim());
  await page.type(".find input[type=search]", first.slice(0, 12));
  await page.waitForFunction(() => document.querySelector(".find output").textContent !== "", { timeout: 5000 });
  const found = await page.$eval(".find output", (output) => output.textContent);
  if (!/^[1-9][\d,]* of /.test(found)) say(`the search for ${JSON.stringify(first)} says ${JSON.stringify(found)}`);
  await page.$eval("#answers", (section) => section.scrollIntoView({ behavior: "instant" }));
  await page.screenshot({ path: join(shots, `${name}-search.png`) });
  await page.$eval(".contents button", (button) => button.click());
  const theme = await page.evaluate(() => document.documentElement.dataset.theme);
  if (theme !== "dark") say(`the switch leads to ${theme}`);
}

const browser = await puppeteer.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  for (const pair of pairs) {
    const [file, json] = pair.split("=");
    await look(browser, realpathSync(file), json);
    console.log(`looked at ${file}`);
  }
} finally {
  await browser.close();
}
for (const problem of problems) console.error(problem);
process.exit(problems.length ? 1 : 0);
