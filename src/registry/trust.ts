// Whom TLS trusts: the system's CA bundle (SSL_CERT_FILE, SSL_CERT_DIR), the CAs and client certificates of a registry in
// docker's and podman's certs.d folders, and --cert-dir. The runtime's own list of roots is only used on machines
// without a bundle: an administrator's additions and removals must count, and Bun's and Node's lists differ.

import { X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { configHome, envText } from './env.ts';
import type { Env } from './types.ts';

const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Alpine, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

export interface TrustParts {
  env: Env;
  home: string | undefined;
  certDir: string | undefined;
  log: Log;
}

export interface Trust {
  /**
   * The TLS context for `host[:port]`, made once and kept. Client certificates of --cert-dir are only for `ownHosts`.
   * @throws CONFIG_INVALID naming the file that is no certificate or key
   */
  contextFor(host: string, use: { isOwnHost: boolean; verify: boolean }): SecureContext;
}

export function createTrust(parts: TrustParts): Trust {
  const contexts = new Map<string, SecureContext>();
  let system: string[] | undefined;
  return {
    contextFor(host, { isOwnHost, verify }) {
      const key = `${host} ${isOwnHost} ${verify}`;
      let context = contexts.get(key);
      if (context === undefined) {
        const material = materialFor(parts, host, isOwnHost);
        // The bundle takes milliseconds to read and parse: not where nothing is verified.
        context = makeContext(verify ? (system ??= systemCertificates(parts)) : [], material);
        contexts.set(key, context);
      }
      return context;
    },
  };
}

interface Material {
  ca: string[];
  client: { cert: string; key: string; certFile: string } | undefined;
}

function makeContext(system: string[], { ca, client }: Material): SecureContext {
  try {
    return createSecureContext({
      ca: [...system, ...ca],
      ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
    });
  } catch (error) {
    const file = client?.certFile ?? 'the CA certificates';
    throw new EngineError(
      'CONFIG_INVALID',
      `reading ${JSON.stringify(file)}: not a certificate with its key`,
      { cause: error },
    );
  }
}

function systemCertificates({ env, log }: TrustParts): string[] {
  const file = envText(env, 'SSL_CERT_FILE');
  const dir = envText(env, 'SSL_CERT_DIR');
  if (file !== undefined || dir !== undefined) {
    const texts = file !== undefined ? [readText(file)] : [];
    for (const one of (dir ?? '').split(':').filter((entry) => entry !== ''))
      texts.push(...readBundleDir(one, log));
    return texts;
  }
  for (const bundle of SYSTEM_BUNDLES) {
    try {
      const text = readFileSync(bundle, 'utf8');
      if (text.includes('-----BEGIN')) return [text];
    } catch {
      // try the next place
    }
  }
  return [...rootCertificates];
}

/** A folder as c_rehash leaves it: certificates, and links to them that need no second look. */
function readBundleDir(dir: string, log: Log): string[] {
  try {
    const names = readdirSync(dir).filter((name) => /\.(pem|crt|cer|[0-9])$/.test(name));
    return [...new Set(names.map((name) => readText(`${dir}/${name}`)))].filter((text) =>
      text.includes('-----BEGIN'),
    );
  } catch (error) {
    log.warn(`SSL_CERT_DIR: ${dir} cannot be read (${errnoOf(error) ?? 'error'})`);
    return [];
  }
}

/** Certificates for one registry: --cert-dir, and the first certs.d folder that has it. */
function materialFor(parts: TrustParts, host: string, isOwnHost: boolean): Material {
  const material: Material = { ca: [], client: undefined };
  if (parts.certDir !== undefined)
    addDir(parts, parts.certDir, material, { isOptional: false, withClient: isOwnHost });
  for (const dir of certDirs(parts, host)) {
    if (addDir(parts, dir, material, { isOptional: true, withClient: true })) break;
  }
  return material;
}

/** `HOST:PORT`; a `host` without a port (URLs drop the default one) is also looked for with it. */
function certDirs({ env, home }: TrustParts, host: string): string[] {
  const configDir = configHome(env, home);
  const roots = ['/etc/containers/certs.d', '/etc/docker/certs.d'];
  if (configDir !== undefined) {
    roots.unshift(`${configDir}/containers/certs.d`, `${configDir}/docker/certs.d`);
  }
  const names = [host];
  if (!/:[0-9]+$/.test(host)) names.push(`${host}:443`);
  if (host === 'registry-1.docker.io') names.push('docker.io');
  return roots.flatMap((root) => names.map((name) => `${root}/${name}`));
}

/** Adds `*.crt` and `*.cert`+`*.key` of `dir`; false when there is no such folder. */
function addDir(
  { log }: TrustParts,
  dir: string,
  material: Material,
  { isOptional, withClient }: { isOptional: boolean; withClient: boolean },
): boolean {
  let names: string[];
  try {
    names = readdirSync(dir).sort();
  } catch (error) {
    const errno = errnoOf(error);
    if (isOptional && (errno === 'ENOENT' || errno === 'ENOTDIR')) return false;
    if (!isOptional) {
      throw new EngineError(
        'CONFIG_INVALID',
        `reading --cert-dir ${JSON.stringify(dir)}: ${errno ?? 'not readable'}`,
        { cause: error },
      );
    }
    log.warn(`certificates in ${dir} are not used: ${errno ?? 'not readable'}`);
    return false;
  }
  for (const name of names) {
    if (name.endsWith('.crt')) material.ca.push(readCertificates(`${dir}/${name}`));
    if (name.endsWith('.cert') && withClient) material.client = readClientPair(dir, name, names);
  }
  return true;
}

function readClientPair(dir: string, certName: string, names: string[]): NonNullable<Material['client']> {
  const keyName = certName.replace(/\.cert$/, '.key');
  const certFile = `${dir}/${certName}`;
  if (!names.includes(keyName)) {
    throw new EngineError(
      'CONFIG_INVALID',
      `reading ${JSON.stringify(certFile)}: ${JSON.stringify(keyName)} is missing beside it`,
      {
        hint: 'a CA certificate must end in .crt; .cert is for client certificates',
      },
    );
  }
  return { cert: readText(certFile), key: readText(`${dir}/${keyName}`), certFile };
}

/** Checks the first certificate, since createSecureContext ignores text that is none. */
function readCertificates(file: string): string {
  const text = readText(file);
  try {
    new X509Certificate(text);
    return text;
  } catch (error) {
    throw new EngineError('CONFIG_INVALID', `reading ${JSON.stringify(file)}: not a PEM certificate`, {
      cause: error,
    });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new EngineError(
      'CONFIG_INVALID',
      `reading ${JSON.stringify(file)}: ${errnoOf(error) ?? 'not readable'}`,
      { cause: error },
    );
  }
}
