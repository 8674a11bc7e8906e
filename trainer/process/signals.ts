/**
 * Signals that end programs: Ctrl-C, what a system sends when it shuts down, a terminal that is closed, and what schedulers of
 * clusters send before they take a job's time away. Without a listener, USR1 would open Node's debugger.
 */

export const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** For programs that nobody has to end: until something else listens, USR1 ends them as it would end any other program. */
export function keepDebuggerClosed(): () => void {
  // As a shell tells of an end by signal 10.
  const end = () => process.exit(128 + 10);
  process.on('SIGUSR1', end);
  return () => process.off('SIGUSR1', end);
}

/** For a process that somebody else ends: a signal to its whole group is not for it. */
export function leaveSignalsToParent(): void {
  for (const signal of endSignals) process.on(signal, () => {});
}

/** Options of Node for a process that is to have no debugger even while it starts, as far as this version knows them. */
export function withoutDebugger(): string[] {
  return process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : [];
}
