/**
 * Time zones, since a plugin's runtime has no `Intl`: the rules in force, as the IANA database has them, for 2026 and after. A test holds
 * them against Node's own for every zone. Deliberately absent: the past, and zones whose rules follow the moon (Africa/Casablanca,
 * Africa/El_Aaiun); of those the caller is told to write times with their offset.
 */

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * A row is `OFFSET|ZONES`, or `OFFSET SAVING START END|ZONES`, in minutes. START and END are `MONTH.DAY.WEEKDAY.MINUTES.BASE`: the
 * first such weekday (0 is Sunday) on or after the day, or the last one of the month (`L`), so many minutes after midnight, by UTC
 * (`u`) or by the clock on the wall before the change (`w`).
 */
const ROWS: readonly string[] = [
  "-660|Pacific/Midway Pacific/Niue Pacific/Pago_Pago",
  "-600|HST Pacific/Honolulu Pacific/Rarotonga Pacific/Tahiti US/Hawaii",
  "-570|Pacific/Marquesas",
  "-540|Pacific/Gambier",
  "-480|Pacific/Pitcairn",
  "-420|America/Creston America/Dawson America/Dawson_Creek America/Fort_Nelson America/Hermosillo America/Mazatlan America/Phoenix America/Whitehorse MST US/Arizona",
  "-360|America/Bahia_Banderas America/Belize America/Chihuahua America/Costa_Rica America/El_Salvador America/Guatemala America/Managua America/Merida America/Mexico_City America/Monterrey America/Regina America/Swift_Current America/Tegucigalpa Pacific/Galapagos",
  "-300|America/Atikokan America/Bogota America/Cancun America/Cayman America/Coral_Harbour America/Eirunepe America/Guayaquil America/Jamaica America/Lima America/Panama America/Rio_Branco EST",
  "-240|America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon America/Boa_Vista America/Campo_Grande America/Caracas America/Cuiaba America/Curacao America/Dominica America/Grenada America/Guadeloupe America/Guyana America/Kralendijk America/La_Paz America/Lower_Princes America/Manaus America/Marigot America/Martinique America/Montserrat America/Port_of_Spain America/Porto_Velho America/Puerto_Rico America/Santo_Domingo America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola",
  "-180|America/Araguaina America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia America/Asuncion America/Bahia America/Belem America/Buenos_Aires America/Catamarca America/Cayenne America/Cordoba America/Coyhaique America/Fortaleza America/Jujuy America/Maceio America/Mendoza America/Montevideo America/Paramaribo America/Punta_Arenas America/Recife America/Santarem America/Sao_Paulo Antarctica/Palmer Antarctica/Rothera Atlantic/Stanley Brazil/East",
  "-120|America/Noronha Atlantic/South_Georgia",
  "-60|Atlantic/Cape_Verde",
  "0|Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou Africa/Sao_Tome America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/UTC GMT UTC",
  "60|Africa/Algiers Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo Africa/Tunis",
  "120|Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Johannesburg Africa/Juba Africa/Khartoum Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo Africa/Maseru Africa/Mbabane Africa/Tripoli Africa/Windhoek Europe/Kaliningrad",
  "180|Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala Africa/Mogadishu Africa/Nairobi Antarctica/Syowa Asia/Aden Asia/Amman Asia/Baghdad Asia/Bahrain Asia/Damascus Asia/Istanbul Asia/Kuwait Asia/Qatar Asia/Riyadh Europe/Istanbul Europe/Kirov Europe/Minsk Europe/Moscow Europe/Simferopol Europe/Volgograd Indian/Antananarivo Indian/Comoro Indian/Mayotte Turkey",
  "210|Asia/Tehran Iran",
  "240|Asia/Baku Asia/Dubai Asia/Muscat Asia/Tbilisi Asia/Yerevan Europe/Astrakhan Europe/Samara Europe/Saratov Europe/Ulyanovsk Indian/Mahe Indian/Mauritius Indian/Reunion",
  "270|Asia/Kabul",
  "300|Antarctica/Mawson Antarctica/Vostok Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Atyrau Asia/Dushanbe Asia/Karachi Asia/Oral Asia/Qostanay Asia/Qyzylorda Asia/Samarkand Asia/Tashkent Asia/Yekaterinburg Indian/Kerguelen Indian/Maldives",
  "330|Asia/Calcutta Asia/Colombo Asia/Kolkata",
  "345|Asia/Kathmandu Asia/Katmandu",
  "360|Asia/Bishkek Asia/Dhaka Asia/Omsk Asia/Thimphu Asia/Urumqi Indian/Chagos",
  "390|Asia/Rangoon Asia/Yangon Indian/Cocos",
  "420|Antarctica/Davis Asia/Bangkok Asia/Barnaul Asia/Ho_Chi_Minh Asia/Hovd Asia/Jakarta Asia/Krasnoyarsk Asia/Novokuznetsk Asia/Novosibirsk Asia/Phnom_Penh Asia/Pontianak Asia/Saigon Asia/Tomsk Asia/Vientiane Indian/Christmas",
  "480|Antarctica/Casey Asia/Brunei Asia/Chongqing Asia/Hong_Kong Asia/Irkutsk Asia/Kuala_Lumpur Asia/Kuching Asia/Macao Asia/Macau Asia/Makassar Asia/Manila Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Ulaanbaatar Asia/Ulan_Bator Australia/Perth Hongkong Singapore",
  "525|Australia/Eucla",
  "540|Asia/Chita Asia/Dili Asia/Jayapura Asia/Khandyga Asia/Pyongyang Asia/Seoul Asia/Tokyo Asia/Yakutsk Japan Pacific/Palau",
  "570|Australia/Darwin",
  "600|Antarctica/DumontDUrville Asia/Ust-Nera Asia/Vladivostok Australia/Brisbane Australia/Lindeman Australia/Queensland Pacific/Chuuk Pacific/Guam Pacific/Port_Moresby Pacific/Saipan Pacific/Truk",
  "660|Asia/Magadan Asia/Sakhalin Asia/Srednekolymsk Pacific/Bougainville Pacific/Efate Pacific/Guadalcanal Pacific/Kosrae Pacific/Noumea Pacific/Pohnpei Pacific/Ponape",
  "720|Asia/Anadyr Asia/Kamchatka Pacific/Fiji Pacific/Funafuti Pacific/Kwajalein Pacific/Majuro Pacific/Nauru Pacific/Tarawa Pacific/Wake Pacific/Wallis",
  "780|Pacific/Apia Pacific/Enderbury Pacific/Fakaofo Pacific/Kanton Pacific/Tongatapu",
  "840|Pacific/Kiritimati",
  "-120 60 3.L.0.60.u 10.L.0.60.u|America/Godthab America/Nuuk America/Scoresbysund",
  "-180 60 3.8.0.120.w 11.1.0.120.w|America/Miquelon",
  "-210 60 3.8.0.120.w 11.1.0.120.w|America/St_Johns Canada/Newfoundland",
  "-240 60 3.8.0.120.w 11.1.0.120.w|America/Glace_Bay America/Goose_Bay America/Halifax America/Moncton America/Thule Atlantic/Bermuda Canada/Atlantic",
  "-240 60 9.2.0.240.u 4.2.0.180.u|America/Santiago",
  "-300 60 3.8.0.0.w 11.1.0.60.w|America/Havana",
  "-300 60 3.8.0.120.w 11.1.0.120.w|America/Detroit America/Grand_Turk America/Indiana/Indianapolis America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac America/Indianapolis America/Iqaluit America/Kentucky/Louisville America/Kentucky/Monticello America/Louisville America/Nassau America/New_York America/Port-au-Prince America/Toronto Canada/Eastern US/Eastern",
  "-360 60 3.8.0.120.w 11.1.0.120.w|America/Chicago America/Indiana/Knox America/Indiana/Tell_City America/Matamoros America/Menominee America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga America/Rankin_Inlet America/Resolute America/Winnipeg Canada/Central US/Central",
  "-360 60 9.1.6.1320.w 4.1.6.1320.w|Pacific/Easter",
  "-420 60 3.8.0.120.w 11.1.0.120.w|America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Denver America/Edmonton America/Inuvik Canada/Mountain US/Mountain",
  "-480 60 3.8.0.120.w 11.1.0.120.w|America/Los_Angeles America/Tijuana America/Vancouver Canada/Pacific US/Pacific",
  "-540 60 3.8.0.120.w 11.1.0.120.w|America/Anchorage America/Juneau America/Metlakatla America/Nome America/Sitka America/Yakutat US/Alaska",
  "-60 60 3.L.0.60.u 10.L.0.60.u|Atlantic/Azores",
  "-600 60 3.8.0.120.w 11.1.0.120.w|America/Adak",
  "0 120 3.L.0.60.u 10.L.0.60.u|Antarctica/Troll",
  "0 60 3.L.0.60.u 10.L.0.60.u|Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira Eire Europe/Belfast Europe/Dublin Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/Lisbon Europe/London GB Portugal",
  "120 60 3.23.5.0.u 10.L.0.120.w|Asia/Jerusalem Asia/Tel_Aviv Israel",
  "120 60 3.24.6.0.u 10.23.5.1380.u|Asia/Gaza Asia/Hebron",
  "120 60 3.L.0.0.w 10.L.0.0.w|Asia/Beirut",
  "120 60 3.L.0.120.w 10.L.0.180.w|Europe/Chisinau",
  "120 60 3.L.0.60.u 10.L.0.60.u|Asia/Famagusta Asia/Nicosia Europe/Athens Europe/Bucharest Europe/Helsinki Europe/Kiev Europe/Kyiv Europe/Mariehamn Europe/Nicosia Europe/Riga Europe/Sofia Europe/Tallinn Europe/Vilnius",
  "120 60 4.L.5.0.w 10.L.4.1260.u|Africa/Cairo",
  "570 60 10.1.0.120.w 4.1.0.180.w|Australia/Adelaide Australia/Broken_Hill",
  "60 60 3.L.0.60.u 10.L.0.60.u|Africa/Ceuta Arctic/Longyearbyen Europe/Amsterdam Europe/Andorra Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich Poland",
  "600 60 10.1.0.120.w 4.1.0.180.w|Antarctica/Macquarie Australia/ACT Australia/Hobart Australia/Melbourne Australia/NSW Australia/Sydney Australia/Victoria",
  "630 30 10.1.0.120.w 4.1.0.120.w|Australia/Lord_Howe",
  "660 60 10.1.0.120.w 4.1.0.180.w|Pacific/Norfolk",
  "720 60 9.L.0.120.w 4.1.0.180.w|Antarctica/McMurdo NZ Pacific/Auckland",
  "765 60 9.L.0.165.w 4.1.0.225.w|Pacific/Chatham",
];

interface Change {
  month: number;
  day: number | "L";
  weekday: number;
  minutes: number;
  wall: boolean;
}

interface Zone {
  offset: number;
  saving: number;
  start?: Change;
  end?: Change;
}

let known: ReadonlyMap<string, Zone> | undefined;

function zones(): ReadonlyMap<string, Zone> {
  if (known !== undefined) return known;
  const all = new Map<string, Zone>();
  for (const row of ROWS) {
    const [rule = "", names = ""] = row.split("|");
    const [offset, saving, start, end] = rule.split(" ");
    const zone: Zone = { offset: Number(offset), saving: Number(saving ?? 0), ...(start === undefined || end === undefined ? {} : { start: changeOf(start), end: changeOf(end) }) };
    for (const name of names.split(" ")) all.set(name.toLowerCase(), zone);
  }
  known = all;
  return all;
}

function changeOf(words: string): Change {
  const [month, day, weekday, minutes, base] = words.split(".");
  return { month: Number(month), day: day === "L" ? "L" : Number(day), weekday: Number(weekday), minutes: Number(minutes), wall: base === "w" };
}

/** Whether the zone's rules are here. */
export const isKnown = (zone: string): boolean => zones().has(zone.toLowerCase());

/** When a change happens in a year; `before` is the offset until then. */
function momentOf(change: Change, year: number, before: number): number {
  const last = Date.UTC(year, change.month, 0);
  const first = change.day === "L" ? last - 6 * DAY : Date.UTC(year, change.month - 1, change.day);
  const day = first + ((change.weekday - new Date(first).getUTCDay() + 7) % 7) * DAY;
  return day + change.minutes * MINUTE - (change.wall ? before * MINUTE : 0);
}

/** Minutes ahead of UTC at a moment; `undefined` for a zone that is not here. */
export function offsetAt(zone: string, ms: number): number | undefined {
  const rule = zones().get(zone.toLowerCase());
  if (rule === undefined) return undefined;
  const { offset, saving, start, end } = rule;
  if (start === undefined || end === undefined) return offset;
  const year = new Date(ms + offset * MINUTE).getUTCFullYear();
  const from = momentOf(start, year, offset);
  const to = momentOf(end, year, offset + saving);
  const summer = from < to ? ms >= from && ms < to : ms >= from || ms < to;
  return summer ? offset + saving : offset;
}

/** The moment at which the clock on the wall shows `wall` (milliseconds as if it were UTC). One that is left out comes later by the gap; of two the first. */
export function momentAt(zone: string, wall: number): number | undefined {
  const before = offsetAt(zone, wall - DAY);
  const after = offsetAt(zone, wall + DAY);
  if (before === undefined || after === undefined) return undefined;
  for (const offset of before === after ? [before] : [Math.max(before, after), Math.min(before, after)]) {
    const ms = wall - offset * MINUTE;
    if (offsetAt(zone, ms) === offset) return ms;
  }
  return wall - before * MINUTE;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** A moment as the clock there shows it, with its offset: `2026-11-26T14:00:00+01:00`; of an unknown zone in UTC. */
export function shown(zone: string, ms: number): string {
  const offset = offsetAt(zone, ms) ?? 0;
  const wall = new Date(ms + offset * MINUTE).toISOString().slice(0, 19);
  const away = Math.abs(offset);
  return `${wall}${offset < 0 ? "-" : "+"}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}
