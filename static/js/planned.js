// Moments that are planned, in words: by the clock of the site's zone, and by the viewer's own.
const LANGUAGE = document.documentElement.lang || "en";
const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60]];

/** "in 2 days", or "" of what has passed. */
export function away(moment) {
  const seconds = (moment - Date.now()) / 1000;
  if (seconds <= 0) return "";
  const [unit, size] = STEPS.find(([, each]) => seconds >= each) ?? ["minute", 60];
  return new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "always" }).format(Math.max(1, Math.floor(seconds / size)), unit);
}

/** What the viewer's clock shows then, in `words` with a place for it; "" if it shows the same as the site's. */
export function here(moment, zone, words) {
  if (shown(moment, zone) === shown(moment)) return "";
  const options = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return words.replace("%s", new Intl.DateTimeFormat(LANGUAGE, options).format(moment));
}

/** The moment at which the clock of the zone shows this ("2026-11-23T09:00"); null if it never does. Of two, the first. */
export function momentOf(written, zone) {
  const utc = Date.parse(`${written}Z`);
  if (Number.isNaN(utc)) return null;
  const offsets = [utc - 86400e3, utc + 86400e3].map((near) => Date.parse(`${shown(new Date(near), zone)}Z`) - near);
  return offsets.map((offset) => new Date(utc - offset)).filter((each) => shown(each, zone) === written).sort((a, b) => a - b)[0] ?? null;
}

export const weekday = (moment, zone) => new Intl.DateTimeFormat(LANGUAGE, { weekday: "long", timeZone: zone }).format(moment);

function shown(moment, timeZone) {
  const options = { timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const part = Object.fromEntries(new Intl.DateTimeFormat("en", options).formatToParts(moment).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}
