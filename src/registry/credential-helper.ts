// Asks docker-credential-SUFFIX for a login (docker's credential helper protocol: `get`, the server's name on stdin, one
// JSON object on stdout), or to keep or forget one. Helpers are the user's own programs, found on PATH.

import { spawn } from 'node:child_process';
import { EngineError } from '../core/errors.ts';
import type { Credentials } from './auth-file.ts';
import { printable } from './redact.ts';
import type { Env } from './types.ts';

const TIMEOUT_MS = 60_000; // some ask the user by a window
const MAX_OUTPUT = 1024 * 1024;
// The protocol has no other sign than this sentence on stdout, word for word (docker/docker-credential-helpers).
const NOT_FOUND = 'credentials not found in native keychain';
/** User name that says: the secret is an identity token. */
const TOKEN_USER = '<token>';

/**
 * The login the helper has for `server`, or undefined when it has none.
 * @throws AUTH_FAILED naming the helper when it is missing, fails or answers nonsense
 */
export async function askHelper(suffix: string, server: string, env: Env): Promise<Credentials | undefined> {
  checkName(suffix, server);
  const { status, stdout } = await runHelper(suffix, server, env, 'get', `${server}\n`);
  if (status !== 0) {
    const said = stdout.trim();
    if (said === NOT_FOUND) return undefined;
    throw failed(suffix, server, said === '' ? `it ended with status ${status}` : printable(said));
  }
  return parseAnswer(suffix, server, stdout);
}

/** Hands a login over to the helper. @throws AUTH_FAILED */
export async function storeInHelper(
  suffix: string,
  server: string,
  { username, password }: Credentials,
  env: Env,
): Promise<void> {
  await told(
    suffix,
    server,
    'store',
    JSON.stringify({ ServerURL: server, Username: username, Secret: password }),
    env,
  );
}

/** A login that is not there is no error. @throws AUTH_FAILED */
export async function eraseInHelper(suffix: string, server: string, env: Env): Promise<void> {
  await told(suffix, server, 'erase', `${server}\n`, env);
}

async function told(
  suffix: string,
  server: string,
  action: 'store' | 'erase',
  input: string,
  env: Env,
): Promise<void> {
  checkName(suffix, server);
  const { status, stdout } = await runHelper(suffix, server, env, action, input);
  const said = stdout.trim();
  if (status === 0 || (action === 'erase' && said === NOT_FOUND)) return;
  throw failed(suffix, server, said === '' ? `it ended with status ${status}` : printable(said));
}

/** A "/" would run a program of the config file's choice; docker only ever looks on PATH. */
function checkName(suffix: string, server: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(suffix))
    throw failed(suffix, server, 'that is not a name of a credential helper');
}

function parseAnswer(suffix: string, server: string, stdout: string): Credentials | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw failed(suffix, server, 'its answer is not JSON');
  }
  const { Username: username, Secret: secret } = (answer ?? {}) as { Username?: unknown; Secret?: unknown };
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failed(suffix, server, 'its answer lacks Username or Secret');
  }
  if (username === TOKEN_USER) return { username: '', password: '', identityToken: secret };
  return username === '' && secret === '' ? undefined : { username, password: secret };
}

function runHelper(
  suffix: string,
  server: string,
  env: Env,
  action: 'get' | 'store' | 'erase',
  input: string,
): Promise<{ status: number; stdout: string }> {
  const program = `docker-credential-${suffix}`;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [action], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
    let stdout = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(failed(suffix, server, `it did not answer within ${TIMEOUT_MS / 1000} s`));
    }, TIMEOUT_MS);
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      if (stdout.length < MAX_OUTPUT) stdout += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const missing = error.code === 'ENOENT';
      reject(
        failed(suffix, server, missing ? 'no such program on PATH' : (error.code ?? 'cannot be run'), error),
      );
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? 1, stdout });
    });
    child.stdin.on('error', () => undefined); // a helper that ends without reading says why by its status
    child.stdin.end(input);
  });
}

function failed(suffix: string, server: string, reason: string, cause?: unknown): EngineError {
  const program = printable(`docker-credential-${suffix}`, 80);
  return new EngineError(
    'AUTH_FAILED',
    `asking ${JSON.stringify(program)} for the login of ${JSON.stringify(server)}: ${reason}`,
    {
      hint: 'install the helper, take it out of credsStore/credHelpers in the config file, or pass --creds USER:PASSWORD',
      cause,
    },
  );
}
