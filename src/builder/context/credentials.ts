// URLs in instructions and in what git says may carry a password: it is in no message, no history and no cache. (pure)

/** `https://user:secret@host/` → `https://***@host/`, everywhere in a text. */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^/?#@\s]*@/g, '://***@');
}
