// Runs a model checker for TLA+ that is not ours (tla-checker, in WebAssembly) on the modules that come as lines of JSON.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const checker = await import(pathToFileURL(path.join(folder, "tla_checker.js")));
checker.initSync({ module: fs.readFileSync(path.join(folder, "tla_checker_bg.wasm")) });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { module, configuration, most } = JSON.parse(line);
  const depth = 100000;
  const found = JSON.parse(checker.check_spec_with_cfg(module, configuration, "{}", most, depth, true, false));
  const told = { states: found.states_explored, error: found.error_type, why: found.error_message };
  fs.writeSync(1, JSON.stringify(told) + "\n"); // at once: the reader waits
}
