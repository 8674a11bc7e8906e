/**
 * An error meant for the user: one sentence that says what, where and what to do.
 * `code` is stable for programs; `usage` errors leave the command with status 2, all others with 1.
 */
export class SweepError extends Error {
  readonly code: string;
  readonly data: Record<string, unknown>;

  constructor(code: string, message: string, data: Record<string, unknown> = {}) {
    super(message);
    this.name = 'SweepError';
    this.code = code;
    this.data = data;
  }
}
