// Errors that many types share, with PostgreSQL's words.
import { PgError } from '../../common/errors.ts';

/** 22P02, what every input function says of text it cannot read. */
export function invalidInput(typeName: string, text: string): PgError {
  return new PgError('invalid_text_representation', `invalid input syntax for type ${typeName}: "${text}"`);
}

/** 22003: the result of an operation does not fit. */
export function outOfRange(typeName: string): PgError {
  return new PgError('numeric_value_out_of_range', `${typeName} out of range`);
}

/** 22003: the text is a number, but too large for the type. */
export function valueOutOfRange(typeName: string, text: string): PgError {
  return new PgError('numeric_value_out_of_range', `value "${text}" is out of range for type ${typeName}`);
}

export function divisionByZero(): PgError {
  return new PgError('division_by_zero', 'division by zero');
}

/** 22023. */
export function invalidParameter(message: string, detail?: string): PgError {
  return new PgError('invalid_parameter_value', message, detail === undefined ? {} : { detail });
}

/** 54000. */
export function limitExceeded(message: string): PgError {
  return new PgError('program_limit_exceeded', message);
}

/** Pseudo-types and the like, which have no text form. */
export function cannotAccept(typeName: string): PgError {
  return new PgError('feature_not_supported', `cannot accept a value of type ${typeName}`);
}

export function cannotDisplay(typeName: string): PgError {
  return new PgError('feature_not_supported', `cannot display a value of type ${typeName}`);
}
