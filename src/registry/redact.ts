// Makes foreign text and URLs fit for a message: no credentials, no control characters, no endless lines.

const SECRET_PARAMETER =
  /^(x-amz-.*|x-goog-.*|signature|sig|token|access_token|refresh_token|key-pair-id|policy|awsaccesskeyid|googleaccessid|password|se|sp|sv|sr|skoid|sktid|verify|expires|hmac|account)$/i;

/** A URL without user info and without the values of its parameters that may be secrets (signed CDN links). */
export function redactUrl(url: URL | string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return printable(String(url)).replace(/\/\/[^/@\s]*@/, '//');
  }
  parsed.username = '';
  parsed.password = '';
  parsed.hash = '';
  for (const name of [...parsed.searchParams.keys()]) {
    if (SECRET_PARAMETER.test(name)) parsed.searchParams.set(name, 'REDACTED');
  }
  return printable(parsed.href);
}

/** Text from a registry, helper or proxy in one line: control and bidi characters become spaces, long text is cut. */
export function printable(text: string, maxLength = 300): string {
  const clean = text
    .slice(0, maxLength * 4)
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}…` : clean;
}
