// `skiff doctor`: what works on this host, found out by trying, and the one command that mends what does not.

import { ensurePrivateDir } from '../core/fs.ts';
import { checkCgroup } from './doctor/cgroup.ts';
import { checkIdRanges } from './doctor/id-ranges.ts';
import { checkNetwork } from './doctor/network.ts';
import { checkRuntimeDir, checkStore } from './doctor/store.ts';
import { checkConnectedContainer, checkContainer } from './doctor/trial.ts';
import type { DoctorParts, Finding } from './doctor/types.ts';
import { checkUserNamespaces } from './doctor/user-namespaces.ts';

export type { Finding } from './doctor/types.ts';

export interface Diagnosis {
  /** No finding says `fail`: containers can be run. */
  runnable: boolean;
  findings: Finding[];
}

/** Makes the store's folder if it is missing; leaves nothing else behind. */
export async function diagnose(parts: DoctorParts): Promise<Diagnosis> {
  const findings: Finding[] = [
    await checkUserNamespaces(parts),
    await checkIdRanges(parts),
    checkRuntimeDir(parts, (path) => {
      ensurePrivateDir(path, parts.hostUid);
    }),
    ...checkStore(parts),
  ];
  const canTry = isRunnable(findings);
  const container = canTry ? await checkContainer(parts) : undefined;
  if (container !== undefined) findings.push(container);
  const network = checkNetwork(parts);
  findings.push(...network);
  if (container?.status === 'ok' && isConnectable(network))
    findings.push(await checkConnectedContainer(parts));
  findings.push(checkCgroup(parts));
  return { runnable: isRunnable(findings), findings };
}

function isRunnable(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'fail');
}

/** Otherwise the trial would only repeat what was found. */
function isConnectable(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'warn');
}
