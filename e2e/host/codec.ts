/**
 * Carries values between processes and worlds as JSON with the reach of structured cloning: undefined, NaN, -0, bigint, Date, RegExp,
 * Map, Set, ArrayBuffer and its views, errors, shared references and cycles. Functions cannot be cloned, unless the caller offers to
 * replace them (contextBridge does).
 *
 * `makeCodec` is also injected in pages as source text, so it must not use anything outside itself.
 */

/** What a caller puts in place of a value that cannot be copied. The tag must not be one of the codec's own. */
export type Replacement = readonly [tag: 'function' | 'promise' | 'file', id: number];

export interface Codec {
  /** @throws Error with Electron's text where a value cannot be cloned. */
  encode(value: unknown, replace?: (value: object) => Replacement | undefined): unknown;
  /** @throws Error for text that no encoder wrote. */
  decode(tree: unknown, restore?: (replacement: Replacement) => unknown): unknown;
}

export function makeCodec(): Codec {
  const errorClasses = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError };
  const viewClasses = {
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView,
  };
  const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
  const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const uncloneable = (): Error => new Error('An object could not be cloned.');

  function encode(root: unknown, replace?: (value: object) => Replacement | undefined): unknown {
    const seen = new Map<object, number>();
    const encodeObject = (value: object): unknown => {
      const known = seen.get(value);
      if (known !== undefined) return ['reference', known];
      // A number for every object in the order of encoding, so that later references can name it.
      const index = seen.size;
      seen.set(value, index);
      if (Array.isArray(value)) return ['array', index, Array.from(value, encodeValue)];
      if (ArrayBuffer.isView(value)) return ['view', index, tagOf(value), toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))];
      switch (tagOf(value)) {
        case 'Date':
          return ['date', index, encodeValue(Number(value))];
        case 'RegExp':
          return ['regexp', index, (value as RegExp).source, (value as RegExp).flags];
        case 'Map':
          return ['map', index, [...(value as Map<unknown, unknown>)].map(([key, entry]) => [encodeValue(key), encodeValue(entry)])];
        case 'Set':
          return ['set', index, [...(value as Set<unknown>)].map(encodeValue)];
        case 'ArrayBuffer':
          return ['buffer', index, toBase64(new Uint8Array(value as ArrayBuffer))];
        case 'Error': {
          const error = value as Error;
          return ['error', index, error.name, error.message, error.stack ?? ''];
        }
        case 'Promise':
        case 'WeakMap':
        case 'WeakSet':
        case 'WeakRef':
          throw uncloneable();
        default:
          return ['object', index, Object.entries(value).map(([key, entry]) => [key, encodeValue(entry)])];
      }
    };
    const encodeValue = (value: unknown): unknown => {
      switch (typeof value) {
        case 'string':
        case 'boolean':
          return value;
        case 'number':
          if (Object.is(value, -0)) return ['number', '-0'];
          return Number.isFinite(value) ? value : ['number', String(value)];
        case 'undefined':
          return ['undefined'];
        case 'bigint':
          return ['bigint', String(value)];
        case 'symbol':
          throw uncloneable();
        case 'function':
        case 'object': {
          if (value === null) return null;
          const replacement = replace?.(value);
          if (replacement !== undefined) return replacement;
          if (typeof value === 'function') throw uncloneable();
          return encodeObject(value);
        }
      }
    };
    return encodeValue(root);
  }

  function decode(root: unknown, restore?: (replacement: Replacement) => unknown): unknown {
    const known: unknown[] = [];
    const list = (value: unknown): readonly unknown[] => {
      if (!Array.isArray(value)) throw new Error('This value was not written by the codec.');
      return value;
    };
    const decodeValue = (tree: unknown): unknown => {
      if (!Array.isArray(tree)) return tree;
      const [tag, first, second, third, fourth] = tree as readonly unknown[];
      const keep = <T extends object>(value: T): T => {
        known[Number(first)] = value;
        return value;
      };
      switch (tag) {
        case 'undefined':
          return undefined;
        case 'number':
          return Number(first);
        case 'bigint':
          return BigInt(String(first));
        case 'reference':
          return known[Number(first)];
        case 'array': {
          const target = keep<unknown[]>([]);
          for (const entry of list(second)) target.push(decodeValue(entry));
          return target;
        }
        case 'object': {
          const target = keep({});
          for (const entry of list(second)) {
            const [key, value] = list(entry);
            // Defined, not assigned: a key may be named __proto__.
            Object.defineProperty(target, String(key), { value: decodeValue(value), writable: true, enumerable: true, configurable: true });
          }
          return target;
        }
        case 'map': {
          const target = keep(new Map<unknown, unknown>());
          for (const entry of list(second)) {
            const [key, value] = list(entry);
            target.set(decodeValue(key), decodeValue(value));
          }
          return target;
        }
        case 'set': {
          const target = keep(new Set<unknown>());
          for (const entry of list(second)) target.add(decodeValue(entry));
          return target;
        }
        case 'date':
          return keep(new Date(Number(decodeValue(second))));
        case 'regexp':
          return keep(new RegExp(String(second), String(third)));
        case 'buffer':
          return keep(fromBase64(String(second)).buffer);
        case 'view': {
          const bytes = fromBase64(String(third));
          const View = viewClasses[String(second) as keyof typeof viewClasses] as new (buffer: ArrayBuffer) => ArrayBufferView;
          return keep(new View(bytes.buffer));
        }
        case 'error': {
          const ErrorClass = errorClasses[String(second) as keyof typeof errorClasses] as ErrorConstructor | undefined;
          const error = keep(new (ErrorClass ?? Error)(String(third)));
          error.stack = String(fourth);
          return error;
        }
        case 'function':
        case 'promise':
        case 'file':
          if (restore !== undefined) return restore([tag, Number(first)]);
      }
      throw new Error('This value was not written by the codec.');
    };
    return decodeValue(root);
  }

  return { encode, decode };
}
