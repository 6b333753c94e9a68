interface Platforms {
  /** `os/arch[/variant]` that the image is made for. */
  readonly platform: string;
  /** What the builder runs on. */
  readonly buildPlatform: string;
}

/** The ARGs that every builder declares by itself: `TARGETPLATFORM`, `BUILDARCH` and so on. */
export function platformArgs({ platform, buildPlatform }: Platforms): readonly (readonly [name: string, value: string])[] {
  return [...platformParts('TARGET', platform), ...platformParts('BUILD', buildPlatform)];
}

function platformParts(prefix: string, platform: string): readonly (readonly [string, string])[] {
  const [os = '', arch = '', variant = ''] = platform.split('/');
  return [
    [`${prefix}PLATFORM`, platform],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, arch],
    [`${prefix}VARIANT`, variant],
  ];
}
