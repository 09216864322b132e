/* SPDX-License-Identifier: Apache-2.0 */
/* libmanygate: loads a model directory that `manygate train` wrote and predicts, from C or any language that can call C.
 *
 *   manygate_predictor* model = NULL;
 *   if (manygate_load("out/census", &model) != MANYGATE_OK) { fputs(manygate_last_error(), stderr); return 1; }
 *   const char* age[] = {"39", "50"};
 *   const float hours[] = {40, 13};
 *   manygate_column columns[] = {{MANYGATE_STRING, age, NULL}, {MANYGATE_FLOAT32, hours, NULL}};  // in the order of inputs
 *   float probs_income[2];
 *   float* outputs[] = {probs_income, NULL};                                                      // in the order of outputs
 *   if (manygate_predict(model, 2, columns, outputs) != MANYGATE_OK) fputs(manygate_last_error(), stderr);
 *   manygate_free(model);
 *
 * The numbers are those of `manygate predict` on the same rows, bit for bit. All functions may be called by several threads at
 * once, with one model too; none throws or ends the process because of what it is given. After the first calls nothing is
 * allocated, unless a value is wrong. What this header declares is kept: new versions only add to it. */
#ifndef MANYGATE_H_
#define MANYGATE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define MANYGATE_API
#else
#define MANYGATE_API __attribute__((visibility("default")))
#endif

typedef struct manygate_predictor manygate_predictor;

/* The program's exit codes mean the same. */
typedef enum manygate_status {
  MANYGATE_OK = 0,
  MANYGATE_FAILED = 1, /* a file that cannot be read, no memory */
  MANYGATE_INVALID_INPUT =
      2, /* no model directory, a damaged one, a value that is no number, a NULL where none may be */
} manygate_status;

typedef enum manygate_type {
  MANYGATE_STRING = 0,  /* const char*: ended by a NUL; NULL or "" = missing */
  MANYGATE_TEXT = 1,    /* manygate_text: any bytes; size 0 or data NULL = missing */
  MANYGATE_FLOAT32 = 2, /* float; NaN = missing */
  MANYGATE_FLOAT64 = 3, /* double; NaN = missing */
  MANYGATE_INT32 = 4,
  MANYGATE_INT64 = 5,
} manygate_type;

typedef struct manygate_text {
  const char* data;
  size_t size;
} manygate_text;

/* The values of one input for all rows. Any input takes any type: a number where the model reads a text counts as its shortest
 * decimal text, a text where it reads a number must be one. */
typedef struct manygate_column {
  manygate_type type;
  const void* values;        /* [rows] of the type; NULL: missing in all rows */
  const uint8_t* is_missing; /* [rows], 1 = missing; NULL: as the values say */
} manygate_column;

typedef struct manygate_input {
  const char* name;   /* lives as long as the model */
  manygate_type type; /* what the model reads: MANYGATE_STRING or MANYGATE_FLOAT32 */
} manygate_input;

typedef struct manygate_output {
  const char* name; /* "probs_<tower>", "y_<tower>", "logits_<tower>", ...; lives as long as the model */
  int64_t width;    /* numbers per row */
} manygate_output;

/* Version of the library, "0.1.0". */
MANYGATE_API const char* manygate_version(void);
/* Why the last call of this thread that failed did so: one problem a line. "" before any. Valid until the thread's next failure. */
MANYGATE_API const char* manygate_last_error(void);

MANYGATE_API manygate_status manygate_load(const char* model_dir, manygate_predictor** model);
/* NULL is allowed. No call may be under way. */
MANYGATE_API void manygate_free(manygate_predictor* model);

MANYGATE_API const char* manygate_model_name(const manygate_predictor* model); /* "mmoe", "ple", ... */
MANYGATE_API size_t manygate_num_inputs(const manygate_predictor* model);
MANYGATE_API size_t manygate_num_outputs(const manygate_predictor* model);
/* index: below the number; else name is NULL. */
MANYGATE_API manygate_input manygate_get_input(const manygate_predictor* model, size_t index);
MANYGATE_API manygate_output manygate_get_output(const manygate_predictor* model, size_t index);
/* Their place; -1: there is none of that name. */
MANYGATE_API int64_t manygate_find_input(const manygate_predictor* model, const char* name);
MANYGATE_API int64_t manygate_find_output(const manygate_predictor* model, const char* name);

/* Of an output of classes: which class its number k, below width, belongs to; else NULL. */
MANYGATE_API const char* manygate_class_name(const manygate_predictor* model, size_t output, size_t k);

/* rows: 0 .. 2^31 - 1; columns: [num_inputs]; outputs: [num_outputs], each [rows, width] or NULL where it is not wanted. On an error nothing that is
 * in the outputs counts. */
MANYGATE_API manygate_status manygate_predict(const manygate_predictor* model, int64_t rows,
                                              const manygate_column* columns, float* const* outputs);
/* The same from texts, row by row: values: [rows, num_inputs], NULL or "" = missing. */
MANYGATE_API manygate_status manygate_predict_strings(const manygate_predictor* model, int64_t rows,
                                                      const char* const* values, float* const* outputs);

#ifdef __cplusplus
}
#endif

#endif /* MANYGATE_H_ */
