// What the page can do beyond being read: tips, a switch of light and dark, the place in the contents, the search in answers.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));

  // Tips: the marks' titles, shown at once and on touch too.
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  for (const title of all(".plot title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  const show = (event) => {
    const mark = event.target instanceof Element && event.target.closest("[data-tip]");
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    const left = Math.min(event.pageX + 14, root.clientWidth - tip.offsetWidth - 8);
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = event.pageY - tip.offsetHeight - 12 + "px";
  };
  document.addEventListener("pointermove", show, { passive: true });
  document.addEventListener("pointerdown", show, { passive: true });

  // Light and dark.
  const contents = document.querySelector(".contents");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const button = document.createElement("button");
  button.type = "button";
  const name = () => { button.textContent = dark() ? "Light page" : "Dark page"; };
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();
  contents.append(button);

  // The section in view stands out in the contents.
  const links = new Map(all("a", contents).map((a) => [a.hash.slice(1), a]));
  const seen = new Set();
  const mark = () => {
    const here = all("main > section").find((s) => seen.has(s.id));
    for (const [id, a] of links) {
      a.classList.toggle("here", Boolean(here) && id === here.id);
      if (here && id === here.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
    }
  };
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    mark();
  }, { rootMargin: "-10% 0px -60% 0px" });
  all("main > section").forEach((section) => watch.observe(section));

  // An address inside a fold opens it.
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // Search in answers: rows that do not match are hidden, lists that match are opened.
  const form = document.querySelector(".find");
  if (!form) return;
  const lists = all("details.given").map((list) => ({
    list,
    arm: list.dataset.arm,
    groups: all("tbody", list).map((body) => ({
      body,
      question: body.rows[0].textContent.toLowerCase(),
      rows: Array.from(body.rows).slice(1).map((row) => ({
        row,
        text: row.cells[0].textContent.toLowerCase(),
        times: Number(row.cells[1].textContent.replace(/,/g, "")),
        marked: row.className === "m",
      })),
    })),
  }));
  for (const arm of new Set(lists.map((l) => l.arm))) {
    const option = form.elements.arm.appendChild(document.createElement("option"));
    option.value = option.textContent = arm;
  }
  const find = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const arm = form.elements.arm.value;
    const only = form.elements.marked.checked;
    let found = 0, total = 0;
    for (const { list, arm: own, groups } of lists) {
      let here = 0;
      for (const { body, question, rows } of groups) {
        const asked = question.includes(text);
        let left = 0;
        for (const { row, text: answer, times, marked } of rows) {
          const fits = (!arm || arm === own) && (!only || marked) && (asked || answer.includes(text));
          row.hidden = !fits;
          total += times;
          if (fits) { left += times; here += times; }
        }
        body.hidden = !left;
      }
      list.hidden = !here;
      if (text && here) list.open = true;
      found += here;
    }
    form.querySelector("output").textContent = text || arm || only
      ? found.toLocaleString("en") + " of " + total.toLocaleString("en") + " answers" : "";
  };
  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
})();
