#!/usr/bin/env node
/**
 * What `lora-sweep` starts as: it says in one sentence where Node is too old, and becomes the command where not. Nothing
 * is imported before that, and nothing is written that an old Node could not read.
 */

/** Of package.json's engines, put in by esbuild. */
declare const OLDEST_NODE: string;

const isOlder = (version: string, than: string): boolean => {
  const [own, needed] = [version, than].map(text => text.split('.').map(Number));
  for (const [i, part] of (needed || []).entries()) {
    const mine = (own || [])[i] || 0;
    if (mine !== part) return mine < part;
  }
  return false;
};

if (isOlder(process.versions.node, OLDEST_NODE)) {
  process.stderr.write(
    `lora-sweep: This is Node ${process.versions.node}, and LoRA Sweep needs ${OLDEST_NODE} or newer; install it from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
} else {
  // The command answers for its own errors.
  const command = './command.js';
  void import(command);
}
