/** What all values have in common that are neither plain objects, arrays nor scalars: one check tells them apart. */
export abstract class Boxed {}
