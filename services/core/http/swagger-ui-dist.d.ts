/** The package comes without types. Its main module would evaluate the whole user interface to tell this path. */
declare module 'swagger-ui-dist/absolute-path.js' {
  export default function absolutePath(): string;
}
