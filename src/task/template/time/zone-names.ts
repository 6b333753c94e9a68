/**
 * Abbreviations of the time zone database that Intl does not know, or knows otherwise: offset in hours, then the zones.
 * A number as the name stands for zones that the database calls by their offset.
 */
const NAMES: readonly (readonly [name: string, hours: number, zones: string])[] = [
  ['CST', 8, 'Asia/Shanghai Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Taipei PRC ROC'],
  ['CST', -5, 'America/Havana Cuba'],
  ['CDT', -4, 'America/Havana Cuba'],
  ['JST', 9, 'Asia/Tokyo Japan'],
  ['KST', 9, 'Asia/Seoul Asia/Pyongyang ROK'],
  ['HKT', 8, 'Asia/Hong_Kong Hongkong'],
  ['PST', 8, 'Asia/Manila'],
  ['PKT', 5, 'Asia/Karachi'],
  ['WIB', 7, 'Asia/Jakarta Asia/Pontianak'],
  ['WITA', 8, 'Asia/Makassar Asia/Ujung_Pandang'],
  ['WIT', 9, 'Asia/Jayapura'],
  ['IST', 2, 'Asia/Jerusalem Asia/Tel_Aviv Israel'],
  ['IDT', 3, 'Asia/Jerusalem Asia/Tel_Aviv Israel'],
  ['IST', 1, 'Europe/Dublin Eire'],
  ['BST', 1, 'Europe/Guernsey Europe/Isle_of_Man Europe/Jersey'],
  ['MSK', 3, 'Europe/Moscow Europe/Kirov Europe/Simferopol Europe/Volgograd W-SU'],
  ['MET', 1, 'MET'],
  ['MEST', 2, 'MET'],
  ['GMT', 0, 'GMT GMT+0 GMT-0 GMT0 Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Greenwich Etc/Greenwich'],
  ['HST', -10, 'America/Adak America/Atka US/Aleutian'],
  ['HDT', -9, 'America/Adak America/Atka US/Aleutian'],
  ['MST', -7, 'America/Dawson America/Hermosillo America/Mazatlan America/Whitehorse Canada/Yukon Mexico/BajaSur'],
  ['SST', -11, 'Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa'],
  ['ChST', 10, 'Pacific/Guam Pacific/Saipan'],
  ['+00', 0, 'Antarctica/Troll'],
  ['+04', 4, 'Asia/Dubai Asia/Muscat'],
  ['+0530', 5.5, 'Asia/Colombo'],
  ['+08', 8, 'Antarctica/Casey'],
  ['+0845', 8.75, 'Australia/Eucla'],
  ['+1030', 10.5, 'Australia/LHI Australia/Lord_Howe'],
  ['+11', 11, 'Australia/LHI Australia/Lord_Howe'],
  ['+1245', 12.75, 'NZ-CHAT Pacific/Chatham'],
  ['+1345', 13.75, 'NZ-CHAT Pacific/Chatham'],
  ['-03', -3, 'America/Miquelon'],
  ['-02', -2, 'America/Miquelon'],
];

/** The abbreviation of a zone at an offset (seconds east of UTC) where it has to be looked up. */
export function listedZoneName(zone: string, offset: number): string | undefined {
  return NAMES.find(([, hours, zones]) => hours * 3600 === offset && zones.split(' ').includes(zone))?.[0];
}
