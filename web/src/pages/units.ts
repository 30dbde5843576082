/** Amounts in words that fit a column. Decimal units, as disks and links are sold. */

const PREFIXES = ["", "k", "M", "G", "T"] as const;

function scaled(value: number, locale: string, unit: string): string {
  let rest = Math.max(0, value);
  let index = 0;
  while (rest >= 999.5 && index < PREFIXES.length - 1) {
    rest /= 1000;
    index += 1;
  }
  const digits = index === 0 || rest >= 99.5 ? 0 : 1;
  const number = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(rest);
  return `${number} ${PREFIXES[index] ?? ""}${unit}`;
}

export function bytesText(bytes: number, locale: string): string {
  return scaled(bytes, locale, "B");
}

export function bitsText(bitsPerSecond: number, locale: string): string {
  return scaled(bitsPerSecond, locale, "bit/s");
}
