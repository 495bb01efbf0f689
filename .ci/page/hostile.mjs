// Copies a run with its artifacts and puts hostile texts where texts from outside stand: prompts, answers, completions, details, names.
//
//     node hostile.mjs RUN COPY
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const EVIL = [
  "</script><img src=x onerror=\"window.hit = 1\">",
  "<svg onload='window.hit = 2'>",
  "\"><a href=javascript:window.hit=3>click</a>",
  "</td></tr></table></details><style>*{display:none}</style>",
  "\u202Ereversed \u0000\u001B[31m &amp; {{7*7}}",
];
const [run, copy] = process.argv.slice(2).map((path) => resolve(path));
let turn = 0;
const evil = () => EVIL[turn++ % EVIL.length];

mkdirSync(copy, { recursive: true });
const jobs = JSON.parse(readFileSync(join(run, "jobs.json"), "utf8"));
for (const job of jobs) {
  const to = join(copy, "store", job.key);
  if (!existsSync(to)) {
    mkdirSync(to, { recursive: true });
    for (const name of ["answers.jsonl", "kept.jsonl", "dropped.jsonl", "samples.jsonl", "steps.jsonl"]) {
      const from = resolve(run, job.path, name);
      if (!existsSync(from)) continue;
      if (name === "steps.jsonl") cpSync(from, join(to, name));
      else writeFileSync(join(to, name), readFileSync(from, "utf8").split("\n").map((line) => line && JSON.stringify(spoil(JSON.parse(line)))).join("\n"));
    }
  }
  job.path = join("store", job.key);
}
writeFileSync(join(copy, "jobs.json"), JSON.stringify(jobs));

/** Every third row is spoilt, so that pairs of prompts and counted answers remain. */
function spoil(row) {
  if (turn++ % 3) return row;
  for (const key of ["answer", "completion", "detail", "left_out"]) if (row[key]) row[key] = evil() + row[key];
  return row;
}

const report = JSON.parse(readFileSync(join(run, "report.json"), "utf8"));
report.name = evil() + report.name;
report.finished = evil();
report.device += evil();
report.gate.warnings.push(evil());
for (const setting of report.settings) setting.value += evil();
for (const context of report.contexts) context.before += evil();
for (const arm of report.arms) {
  arm.frequent.unshift([evil(), 1]);
  arm.model += evil();
  arm.members[0][0] += evil();
  arm.outcomes[0].outcome += evil();
}
writeFileSync(join(copy, "report.json"), JSON.stringify(report));
