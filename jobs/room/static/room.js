/* Nothing depends on this. `/` goes to the search, arrow keys walk along timelines, a switch keeps light or dark,
   commands are copied, and times say themselves in the reader's own zone. */
"use strict";
{
  const root = document.documentElement;
  const KEY = "theme";
  const kept = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const apply = (theme) => { if (theme === "dark" || theme === "light") root.dataset.theme = theme; };
  apply(kept());

  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  const setUpTheme = (button) => {
    const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      apply(theme);
      try { localStorage.setItem(KEY, theme); } catch { /* it lasts as long as the page */ }
      label();
    });
  };

  const setUpCopy = (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  };

  const walk = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const links = [...event.currentTarget.querySelectorAll("a[href]")];
    const ends = { Home: 0, End: links.length - 1 };
    const here = links.indexOf(document.activeElement);
    const to = event.key in ends ? ends[event.key] : here + step;
    if (here < 0 || Number.isNaN(to) || !links[to]) return;
    event.preventDefault();
    links[to].focus();
  };

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const find = document.querySelector("main input[type=search]") || document.getElementById("find");
    if (find) { event.preventDefault(); find.focus(); find.select(); }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("button.theme").forEach(setUpTheme);
    if (navigator.clipboard) document.querySelectorAll("button.copy").forEach(setUpCopy);
    document.querySelectorAll("[data-walk]").forEach((line) => line.addEventListener("keydown", walk));
    document.querySelectorAll("time[datetime*='T']:not([title])").forEach((time) => {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) time.title = `${at.toLocaleString()} here`;
    });
  });
}
