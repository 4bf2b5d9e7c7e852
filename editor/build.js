// Makes of src/main.js the one file that the desk loads, and beside it the licences of all that went into it.
// node build.js [folder, else ../static/js]
import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const folder = process.argv[2] ?? join(here, "../static/js");

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.js"],
  outfile: join(folder, "editor.js"),
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  minify: true,
  legalComments: "none", // they stand in the file below
  banner: { js: "// Made of editor/ by `npm run build`; whose work is in it: editor.licences.txt" },
  metafile: true,
});

const names = Object.keys(metafile.inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
const packages = [...new Set(names)].filter(Boolean).sort();
writeFileSync(join(folder, "editor.licences.txt"), packages.map(licenceOf).join("\n\n"));

function licenceOf(name) {
  const at = join(here, "node_modules", name);
  const { version } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
  const file = readdirSync(at).find((each) => /^licen[sc]e/i.test(each));
  if (!file) throw new Error(`${name} brings no licence`);
  return `${name} ${version}\n\n${readFileSync(join(at, file), "utf8").trim()}\n`;
}
