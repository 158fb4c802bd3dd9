// A strict reader of the XML that we write: elements, attributes, text and the five entities, and nothing else, so that
// whatever slips through unescaped is an error.

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

const NAMES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** @throws for anything that is not well-formed */
export function parseXml(source: string): XmlElement {
  const allowed = /^[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
  if (!allowed.test(source)) throw new Error('a character that XML does not allow');
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>|([^<]+)|(<)/g;
  for (const [all, slash, name, attributes, empty, text, stray] of source.matchAll(token)) {
    const current = open.at(-1) as XmlElement;
    if (stray !== undefined) throw new Error(`a stray <: ${source.slice(source.indexOf(all), 60)}`);
    if (text !== undefined) current.text += decode(text);
    else if (slash === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name ?? ''}> closes nothing`);
    } else {
      const element: XmlElement = { name: name ?? '', attributes: {}, children: [], text: '' };
      for (const [, key, value] of (attributes ?? '').matchAll(/ ([^=]+)="([^"]*)"/g))
        element.attributes[key ?? ''] = decode(value ?? '');
      current.children.push(element);
      if (empty === '') open.push(element);
    }
  }
  if (open.length !== 1 || top.children.length !== 1 || top.text.trim() !== '')
    throw new Error('not one element');
  return top.children[0] as XmlElement;
}

export function textsOf(element: XmlElement): string[] {
  return [element.text, ...element.children.flatMap(textsOf)];
}

function decode(text: string): string {
  return text.replace(/&([^;]*);?/g, (all, name: string) => {
    const character = NAMES[name];
    if (character === undefined || !all.endsWith(';')) throw new Error(`no entity: ${all.slice(0, 20)}`);
    return character;
  });
}
