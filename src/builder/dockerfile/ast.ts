// A parsed Dockerfile: types alone. The parser has checked everything that can be checked before variables have values;
// what may still hold variables is a `Word`. Names are those of the Dockerfile reference.

import type { HealthConfig } from '../../oci/image.ts';

/**
 * An argument as it was written: quotes, escapes and variables are still in it (`"$DIR/a b"`). `expandWord` resolves it.
 * In an ExpandedInstruction, every Word has been resolved and is the final value.
 */
export type Word = string;

/** Lines and columns count from 1; a column counts UTF-16 units, as an index into the line + 1. */
export interface SourceRange {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
}

export interface Dockerfile {
  /** Name in messages, as the user gave it: "Dockerfile", "docker/app.Dockerfile", "-". */
  readonly file: string;
  /** The source, for excerpts; without line ends. */
  readonly lines: readonly string[];
  readonly directives: Directives;
  /** ARGs ahead of the first FROM: they reach FROM, and stages that declare them again. */
  readonly globalArgs: readonly ArgInstruction[];
  /** In the order of the file; the last one is what is built unless --target says otherwise. At least one. */
  readonly stages: readonly Stage[];
  /** Lines within a continued instruction that are empty (rule NoEmptyContinuation), by the instruction they stand in. */
  readonly emptyContinuations: readonly SourceRange[];
}

export interface Directives {
  /** `# syntax=docker/dockerfile:1`; noted, never run. */
  readonly syntax: string | undefined;
  readonly escape: '\\' | '`';
  /** `# check=skip=A,B;experimental=all;error=true` */
  readonly check: CheckDirective;
}

export interface CheckDirective {
  readonly skip: readonly string[];
  readonly skipAll: boolean;
  /** Rules that run only when asked for. */
  readonly experimental: readonly string[];
  readonly experimentalAll: boolean;
  readonly error: boolean;
}

/** What every instruction, FROM among them, carries. */
export interface Source {
  /** The instruction as typed, continuation lines joined, comments dropped; heredocs' bodies not included. */
  readonly text: string;
  /** Keyword as typed: "RUN", "run". */
  readonly keyword: string;
  readonly range: SourceRange;
  /** Comment lines right above it, without `#`: the description that `--call outline` shows. */
  readonly comments: readonly string[];
}

export interface Stage extends Source {
  /** Position in the file, from 0: what `COPY --from=0` means. */
  readonly index: number;
  /** Lower case, as names are compared. */
  readonly name: string | undefined;
  /** As typed, for messages. */
  readonly typedName: string | undefined;
  /** Keyword between base and name, as typed. */
  readonly asKeyword: string | undefined;
  /** An image, `scratch`, the name of an earlier stage or of a named context; may hold global ARGs. */
  readonly from: Word;
  readonly platform: Word | undefined;
  readonly instructions: readonly Instruction[];
}

export type Instruction =
  | AddInstruction
  | ArgInstruction
  | CmdInstruction
  | CopyInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | RunInstruction
  | ShellInstruction
  | StopsignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction;

/** An instruction whose words are final: what the scope hands to the graph. */
export type ExpandedInstruction = Exclude<Instruction, RunInstruction> | ExpandedRun;

/** `RUN ["a", "b"]` is executed as it is; `RUN a b` goes to the SHELL, `line` untouched. Neither is expanded by us. */
export type CommandForm =
  | { readonly form: 'exec'; readonly argv: readonly string[] }
  | { readonly form: 'shell'; readonly line: string };

export interface Heredoc {
  /** The delimiter, unquoted: the file's name for COPY and ADD. */
  readonly name: string;
  /** Lines with their ends; `<<-` has taken leading tabs away, except where a shell gets the heredoc itself (RUN). */
  readonly content: string;
  /** Delimiter without quotes: variables in it are expanded (COPY and ADD; in RUN, the shell does it). */
  readonly expand: boolean;
  /** `<<-` */
  readonly stripTabs: boolean;
}

interface RunBase extends Source {
  readonly kind: 'run';
  readonly command: CommandForm;
  readonly heredocs: readonly Heredoc[];
  /** `--network`; as `--security`, checked against what is known. */
  readonly network: 'default' | 'none' | 'host' | undefined;
  readonly security: 'sandbox' | 'insecure' | undefined;
}

export interface RunInstruction extends RunBase {
  readonly mounts: readonly MountFlag[];
}

export interface ExpandedRun extends RunBase {
  readonly mounts: readonly Mount[];
}

/** One `--mount` before expansion; values may hold variables, but `from` never does. */
export interface MountFlag {
  readonly text: string;
  readonly range: SourceRange;
  /** Keys in lower case, in order; undefined: given without a value, as in `ro`. */
  readonly fields: readonly (readonly [key: string, value: Word | undefined])[];
  /** Stage, image or named context. Known before expansion, since the graph needs it. */
  readonly from: string | undefined;
}

export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

export interface BindMount {
  readonly type: 'bind';
  /** Undefined: the build context. */
  readonly from: string | undefined;
  readonly source: string;
  readonly target: string;
  /** False: writable, and what is written is thrown away. */
  readonly readOnly: boolean;
}

export interface CacheMount {
  readonly type: 'cache';
  /** Default: the target. */
  readonly id: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly sharing: 'shared' | 'private' | 'locked';
  /** What a new cache starts as. */
  readonly from: string | undefined;
  readonly source: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface TmpfsMount {
  readonly type: 'tmpfs';
  readonly target: string;
  readonly sizeBytes: number | undefined;
}

export interface SecretMount {
  readonly type: 'secret';
  readonly id: string;
  /** Undefined: no file, only the variable. */
  readonly target: string | undefined;
  /** Variable that gets the secret. */
  readonly env: string | undefined;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface SshMount {
  readonly type: 'ssh';
  readonly id: string;
  /** Undefined: a path of our choice, named by SSH_AUTH_SOCK. */
  readonly target: string | undefined;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

interface CopyBase extends Source {
  /** Paths, patterns and, for ADD, URLs. Empty when there are heredocs alone. */
  readonly sources: readonly Word[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: Word;
  readonly chown: Word | undefined;
  readonly chmod: Word | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly Word[];
}

export interface CopyInstruction extends CopyBase {
  readonly kind: 'copy';
  /** Stage, image or named context; without variables. */
  readonly from: string | undefined;
}

export interface AddInstruction extends CopyBase {
  readonly kind: 'add';
  /** `sha256:…` of the one URL, or a commit */
  readonly checksum: Word | undefined;
  readonly keepGitDir: boolean;
  /** Undefined: as ADD always did (local tars yes, downloaded ones no). */
  readonly unpack: boolean | undefined;
}

export interface Pair {
  readonly name: Word;
  readonly value: Word;
}

export interface EnvInstruction extends Source {
  readonly kind: 'env';
  readonly pairs: readonly Pair[];
  /** `ENV k v`, which is deprecated. */
  readonly legacy: boolean;
}

export interface LabelInstruction extends Source {
  readonly kind: 'label';
  readonly pairs: readonly Pair[];
  readonly legacy: boolean;
}

export interface ArgInstruction extends Source {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: Word; readonly value: Word | undefined }[];
}

export interface ExposeInstruction extends Source {
  readonly kind: 'expose';
  /** Expanded: one `8080/tcp` a port, ranges written out. */
  readonly ports: readonly Word[];
}

export interface UserInstruction extends Source {
  readonly kind: 'user';
  readonly user: Word;
}

export interface WorkdirInstruction extends Source {
  readonly kind: 'workdir';
  readonly path: Word;
}

export interface VolumeInstruction extends Source {
  readonly kind: 'volume';
  readonly paths: readonly Word[];
}

export interface CmdInstruction extends Source {
  readonly kind: 'cmd';
  readonly command: CommandForm;
}

export interface EntrypointInstruction extends Source {
  readonly kind: 'entrypoint';
  readonly command: CommandForm;
}

export interface ShellInstruction extends Source {
  readonly kind: 'shell';
  readonly argv: readonly string[];
}

export interface HealthcheckInstruction extends Source {
  readonly kind: 'healthcheck';
  /** Ready for the image's config. */
  readonly health: HealthConfig;
}

export interface StopsignalInstruction extends Source {
  readonly kind: 'stopsignal';
  readonly signal: Word;
}

export interface OnbuildInstruction extends Source {
  readonly kind: 'onbuild';
  /** Word for word what the config's OnBuild gets, heredocs included. */
  readonly expression: string;
  readonly trigger: Instruction;
}

export interface MaintainerInstruction extends Source {
  readonly kind: 'maintainer';
  readonly maintainer: string;
}
