// Builds the files that browsers get and that are not committed.
//
// Usage: node frontend/build.mjs OUTPUT_FOLDER
// The folder is emptied first. Afterwards it holds the files under hashed names, LICENSES.txt,
// and manifest.json, which maps the plain names ("app.css") to the hashed ones.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { reduceTabler, wordsIn } from "./tabler.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const modules = join(root, "node_modules");
const images = join(root, "incidentrelay", "static", "img");
const ENTRIES = ["app.css", "app.js", "action_link.css", "calendar.css", "docs.css", "docs.js"];
const SHIPPED = ["@tabler/core", "@tabler/icons", "htmx.org", "swagger-ui-dist"];

const tablerPlugin = {
  name: "tabler",
  setup(bundler) {
    bundler.onLoad({ filter: /tabler\.css$/ }, ({ path }) => {
      const words = wordsIn(join(root, "incidentrelay", "templates"), [".jinja2"]);
      return { contents: reduceTabler(readFileSync(path, "utf8"), words), loader: "css" };
    });
  },
};

// The content security policy forbids inline styles, so the calendar's picture has a class for
// each width. A week has 7 days of 96 slots.
const slotsPlugin = {
  name: "calendar-slots",
  setup(bundler) {
    const namespace = "calendar-slots";
    bundler.onResolve({ filter: /^calendar-slots$/ }, ({ path }) => ({ path, namespace }));
    bundler.onLoad({ filter: /.*/, namespace }, () => {
      const rules = Array.from({ length: 7 * 96 }, (_, at) => `.slots-${at + 1}{flex-grow:${at + 1}}`);
      return { contents: rules.join("\n"), loader: "css" };
    });
  },
};

/** Bundle the entries into `out`; the answer maps plain names to hashed names. */
async function bundle(out) {
  const result = await build({
    entryPoints: ENTRIES.map((name) => join(here, name)),
    outdir: out,
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome109", "firefox115", "safari16.4"],
    legalComments: "linked",
    logLevel: "warning",
    metafile: true,
    absWorkingDir: root,
    plugins: [tablerPlugin, slotsPlugin],
  });
  const named = Object.entries(result.metafile.outputs).filter(([, made]) => made.entryPoint);
  return Object.fromEntries(
    named.map(([path, made]) => [basename(made.entryPoint), basename(path)]),
  );
}

/** One SVG with a symbol for each icon of icons.json; each symbol's id is the icon's name. */
function sprite() {
  const names = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));
  const symbols = names.map((name) => {
    const source = readFileSync(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    const shapes = source
      .replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "")
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/, "")
      .replace(/\s*\n\s*/g, "");
    return (
      `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" ` +
      `stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
}

function writeHashed(out, name, text) {
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase();
  const hashed = name.replace(/(\.\w+)$/, `-${digest}$1`);
  writeFileSync(join(out, hashed), text);
  return hashed;
}

/** The licences of all shipped packages. */
function licences() {
  return SHIPPED.map((name) => {
    const { version, license } = JSON.parse(
      readFileSync(join(modules, name, "package.json"), "utf8"),
    );
    let text = `Licensed under ${license}.`;
    for (const file of ["LICENSE", "NOTICE"]) {
      try {
        text += `\n\n${readFileSync(join(modules, name, file), "utf8").trim()}`;
      } catch (error) {
        // Not every package has both files; its licence is named above in any case.
        if (error.code !== "ENOENT") throw error;
      }
    }
    return `${name} ${version}\n${"=".repeat(72)}\n${text}\n`;
  }).join("\n\n");
}

async function main() {
  if (!process.argv[2]) throw new Error("name the output folder: node frontend/build.mjs FOLDER");
  const out = resolve(process.argv[2]);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const manifest = await bundle(out);
  manifest["icons.svg"] = writeHashed(out, "icons.svg", sprite());
  for (const name of readdirSync(images)) {
    manifest[name] = writeHashed(out, name, readFileSync(join(images, name), "utf8"));
  }
  writeFileSync(join(out, "LICENSES.txt"), licences());
  writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

await main();
