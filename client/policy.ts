import {randomBytes} from 'node:crypto';

/** Only the page's own scripts run, and nothing is loaded from anywhere. */
export function withPolicy(page: string): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'`;
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const bare = page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/gi, '');
  const scripts = bare.replaceAll(/<script(?=[\s>])/g, `<script nonce="${nonce}"`);
  return scripts.includes('<head>') ? scripts.replace('<head>', `<head>${meta}`) : `${meta}${scripts}`;
}
