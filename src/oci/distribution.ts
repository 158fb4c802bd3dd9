// Types and constants of the OCI distribution-spec (v1.1). Keys and codes as the spec spells them.

/** distribution-spec, "Error Codes", with the codes docker's registries add (the last four). */
export const ERROR_CODE = {
  blobUnknown: 'BLOB_UNKNOWN',
  blobUploadInvalid: 'BLOB_UPLOAD_INVALID',
  blobUploadUnknown: 'BLOB_UPLOAD_UNKNOWN',
  digestInvalid: 'DIGEST_INVALID',
  manifestBlobUnknown: 'MANIFEST_BLOB_UNKNOWN',
  manifestInvalid: 'MANIFEST_INVALID',
  manifestUnknown: 'MANIFEST_UNKNOWN',
  nameInvalid: 'NAME_INVALID',
  nameUnknown: 'NAME_UNKNOWN',
  sizeInvalid: 'SIZE_INVALID',
  unauthorized: 'UNAUTHORIZED',
  denied: 'DENIED',
  unsupported: 'UNSUPPORTED',
  tooManyRequests: 'TOOMANYREQUESTS',
  tagInvalid: 'TAG_INVALID',
  manifestUnverified: 'MANIFEST_UNVERIFIED',
  unavailable: 'UNAVAILABLE',
  unknown: 'UNKNOWN',
} as const;

/** One entry of `errors` in the body of a 4xx answer. `detail` is unstructured. */
export interface DistributionError {
  code: string;
  message?: string;
  detail?: unknown;
}

/** Body of `GET /v2/<name>/tags/list`. */
export interface TagList {
  name: string;
  tags: string[] | null;
}

/** Response headers, in the lower case node:http gives them. */
export const HEADER = {
  contentDigest: 'docker-content-digest',
  rateLimit: 'ratelimit-limit',
  rateRemaining: 'ratelimit-remaining',
  rateReset: 'ratelimit-reset',
  rateSource: 'docker-ratelimit-source',
  retryAfter: 'retry-after',
  challenge: 'www-authenticate',
} as const;

/** Docker's schema 1, which we name in an error but do not read. */
export const SCHEMA1_MEDIA_TYPES: readonly string[] = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];

/** distribution-spec, "Pulling manifests": registries need not store larger ones, and nobody should read larger ones. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
