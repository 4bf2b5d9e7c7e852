// The languages that are coloured while one writes; readers get many more, from the server.
import { StreamLanguage } from "@codemirror/language";
import { diff } from "@codemirror/legacy-modes/mode/diff";
import { go } from "@codemirror/legacy-modes/mode/go";
import { javascript, json, typescript } from "@codemirror/legacy-modes/mode/javascript";
import { python } from "@codemirror/legacy-modes/mode/python";
import { ruby } from "@codemirror/legacy-modes/mode/ruby";
import { rust } from "@codemirror/legacy-modes/mode/rust";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { yaml } from "@codemirror/legacy-modes/mode/yaml";
import { parser as css } from "@lezer/css";
import { parser as html } from "@lezer/html";

const of = (mode) => StreamLanguage.define(mode).parser;

const LANGUAGES = [
  [css, "css"],
  [html, "html", "xml", "svg"],
  [of(diff), "diff", "patch"],
  [of(go), "go"],
  [of(javascript), "javascript", "js", "jsx"],
  [of(json), "json"],
  [of(python), "python", "py"],
  [of(ruby), "ruby", "rb"],
  [of(rust), "rust", "rs"],
  [of(shell), "shell", "sh", "bash", "zsh", "console"],
  [of(toml), "toml"],
  [of(typescript), "typescript", "ts", "tsx"],
  [of(yaml), "yaml", "yml"],
];
const BY_NAME = new Map(LANGUAGES.flatMap(([parser, ...names]) => names.map((name) => [name, parser])));

export const tagParser = html.configure({ dialect: "noMatch" }); // for tags between words, which need not be closed

// Of what stands behind the fence (`rust title="a.rs"`, `rust,linenos`), the first word.
export const codeParser = (info) => BY_NAME.get(/^[\w+-]*/.exec(info)[0].toLowerCase()) ?? null;
