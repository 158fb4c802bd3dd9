// Old 32-bit ABIs reach sockets and System V IPC through one call each, socketcall(2) and ipc(2), with the function as
// first argument. A rule about `socket` must hold for socketcall(SYS_SOCKET) too, or it could be walked around. (pure)

import type { Abi } from './architectures.ts';
import type { ArgRule } from './profile.ts';

/** linux/net.h, SYS_* */
const SOCKETCALL = [
  'socket', 'bind', 'connect', 'listen', 'accept', 'getsockname', 'getpeername', 'socketpair', 'send', 'recv', 'sendto',
  'recvfrom', 'shutdown', 'setsockopt', 'getsockopt', 'sendmsg', 'recvmsg', 'accept4', 'recvmmsg', 'sendmmsg',
]; // prettier-ignore

/** linux/ipc.h */
const IPC: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};

/**
 * The further call a rule about `name` covers. Rules with comparisons have none: those arguments lie in memory, where a
 * filter cannot look (libseccomp does the same).
 */
export function multiplexed(
  { table }: Abi,
  name: string,
  args: readonly ArgRule[],
): { call: string; args: ArgRule[] }[] {
  if (table !== 'x86' || args.length > 0) return [];
  const socket = SOCKETCALL.indexOf(name) + 1;
  if (socket > 0) return [{ call: 'socketcall', args: [isFunction(socket)] }];
  const ipc = IPC[name];
  return ipc === undefined ? [] : [{ call: 'ipc', args: [isFunction(ipc)] }];
}

function isFunction(value: number): ArgRule {
  return { index: 0, value: BigInt(value), valueTwo: 0n, op: 'SCMP_CMP_EQ' };
}
