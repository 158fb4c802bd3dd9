// docker's rule for the names of volumes: two characters or more, so that `-v C:\\…` is none, and no separator. (pure)

export function isVolumeName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text) && text.length <= 255;
}
