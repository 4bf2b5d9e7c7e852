// The content policy refuses <style>, which CodeMirror makes where there is a <head>. Sheets that a script constructs are allowed; and in a
// layer of their own they give way to static/css/editor.css, however exact their selectors are.
import { StyleModule } from "style-mod";

const mounted = [];

StyleModule.mount = (root, modules) => {
  for (const module of [modules].flat()) {
    if (mounted.includes(module)) continue;
    mounted.push(module);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`@layer base { ${module.getRules()} }`);
    root.adoptedStyleSheets.push(sheet);
  }
};
