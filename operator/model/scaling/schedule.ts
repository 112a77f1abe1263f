/** Known times of load: `scaling.schedule[]` keeps at least so many replicas in a window of the week, in its own time zone. */

const weekDays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
export type WeekDay = (typeof weekDays)[number];

export interface ScheduleWindow {
  /** Days on which the window begins; absent or empty: every day. */
  readonly days?: readonly WeekDay[] | undefined;
  /** `HH:MM`. A window that ends at or before its start ends on the next day. */
  readonly from: string;
  readonly to: string;
  /** IANA name; absent: UTC. */
  readonly timezone?: string | undefined;
  readonly minReplicas: number;
}

export interface ScheduledFloor {
  readonly replicas: number;
  /** The window in words: `Mon, Tue 08:00-18:00 Europe/Berlin`. */
  readonly window: string;
}

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatFor(timeZone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(timeZone)) return formats.get(timeZone);
  let format: Intl.DateTimeFormat | undefined;
  try {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    // A name that this platform does not know: `isTimezone` tells the user.
  }
  formats.set(timeZone, format);
  return format;
}

/** Whether the platform knows the time zone. */
export const isTimezone = (name: string): boolean => formatFor(name) !== undefined;

/** Day of the week (0 is Monday) and minute of the day in a time zone; undefined for an unknown one. */
function localTime(wallMs: number, timeZone: string): { day: number; minute: number } | undefined {
  const parts = formatFor(timeZone)?.formatToParts(wallMs);
  if (parts === undefined) return undefined;
  const value = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return {
    day: (weekDays as readonly string[]).indexOf(value('weekday')),
    minute: Number(value('hour')) * 60 + Number(value('minute')),
  };
}

function isOpen({ days = [], from, to, timezone = 'UTC' }: ScheduleWindow, wallMs: number): boolean {
  const local = localTime(wallMs, timezone);
  if (local === undefined) return false;
  const on = (day: number) => days.length === 0 || days.some((name) => weekDays.indexOf(name) === day);
  const [start, end] = [minutesOf(from), minutesOf(to)];
  if (start < end) return on(local.day) && local.minute >= start && local.minute < end;
  // Over midnight: the part before it belongs to the day on which it began.
  return (local.minute >= start && on(local.day)) || (local.minute < end && on((local.day + 6) % 7));
}

/** The window with the most replicas among those that are open at a time of the wall clock. */
export function scheduledFloor(
  schedule: readonly ScheduleWindow[] | undefined,
  wallMs: number,
): ScheduledFloor | undefined {
  let floor: ScheduledFloor | undefined;
  for (const window of schedule ?? []) {
    if (window.minReplicas <= (floor?.replicas ?? 0) || !isOpen(window, wallMs)) continue;
    const days = window.days === undefined || window.days.length === 0 ? 'daily' : window.days.join(', ');
    floor = {
      replicas: window.minReplicas,
      window: `${days} ${window.from}-${window.to} ${window.timezone ?? 'UTC'}`,
    };
  }
  return floor;
}
