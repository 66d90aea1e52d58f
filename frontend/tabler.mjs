// Reduces Tabler's style sheet to the part that this product uses.
//
// 1. The dark theme follows the system. Tabler switches it by a data-bs-theme attribute, which
//    needs a script; here the same rules go under a prefers-color-scheme query and need none.
// 2. Rules for classes that no template names are left out. The rest is a tenth of the size, which
//    matters on a phone with a bad connection.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import postcss from "postcss";

const DARK = "[data-bs-theme=dark]";
const FORCED_THEME = /data-bs-(theme=light|navbar-theme|theme-)/;

/** Every word of the files under `folder` whose names end in one of `suffixes`, as a Set. */
export function wordsIn(folder, suffixes) {
  const words = new Set();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !suffixes.some((suffix) => entry.name.endsWith(suffix))) continue;
    const text = readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8");
    for (const word of text.match(/[A-Za-z][\w-]*/g) ?? []) words.add(word);
  }
  return words;
}

function isUsed(selector, words) {
  const classes = selector.replace(/:not\([^)]*\)/g, "").match(/\.[A-Za-z][\w-]*/g) ?? [];
  return classes.every((name) => words.has(name.slice(1)));
}

function systemDark(selector) {
  return selector
    .replace(`:root${DARK}`, ":root")
    .replace(`body${DARK}`, "body")
    .replace(DARK, ":root");
}

function themeOf(selector) {
  if (selector.includes(`:not(${DARK})`)) return "both";
  if (selector.includes(DARK)) return "dark";
  return FORCED_THEME.test(selector) && !selector.startsWith("[data-bs-theme=light]")
    ? "none"
    : "both";
}

/** Tabler's CSS as text, with the two changes above. */
export function reduceTabler(css, words) {
  const root = postcss.parse(css);
  root.walkRules((rule) => {
    if (rule.parent.type === "atrule" && rule.parent.name.endsWith("keyframes")) return;
    const used = rule.selectors.filter((selector) => isUsed(selector, words));
    const dark = used.filter((selector) => themeOf(selector) === "dark");
    const both = used.filter((selector) => themeOf(selector) === "both");
    if (dark.length > 0) {
      const query = postcss.atRule({ name: "media", params: "(prefers-color-scheme: dark)" });
      query.append(rule.clone({ selectors: dark.map(systemDark) }));
      rule.after(query);
    }
    if (both.length > 0) rule.selectors = both;
    else rule.remove();
  });
  root.walkAtRules((atRule) => {
    if (atRule.nodes?.length === 0) atRule.remove();
  });
  return root.toString();
}
