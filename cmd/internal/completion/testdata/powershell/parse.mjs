// Parses PowerShell scripts with tree-sitter's grammar, and fails on what is no
// PowerShell. A script that lacks one brace must be noticed, too.
import { readFileSync } from "node:fs";
import { Language, Parser } from "web-tree-sitter";

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load("node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm"));

const isWhole = (script) => !parser.parse(script).rootNode.hasError;

for (const path of process.argv.slice(2)) {
  const script = readFileSync(path, "utf8");
  if (!isWhole(script)) {
    const faults = parser.parse(script).rootNode.descendantsOfType("ERROR");
    console.error(`${path} is no PowerShell`, faults.map((f) => `line ${f.startPosition.row + 1}: ${f.text.slice(0, 80)}`));
    process.exitCode = 1;
  }
  for (const brace of "{}()") {
    const at = script.lastIndexOf(brace);
    if (isWhole(script.slice(0, at) + script.slice(at + 1))) {
      console.error(`${path} is taken for PowerShell without its last ${brace}, too: the parser sees nothing`);
      process.exitCode = 1;
    }
  }
}
