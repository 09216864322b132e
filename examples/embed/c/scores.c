/* SPDX-License-Identifier: Apache-2.0 */
/* Scores rows of text, one at a time:  scores MODEL_DIR < rows.tsv
 *
 * The first line names the model's inputs, in any order; values are separated by tabs, an empty one is missing, and so are
 * inputs that the line does not name. Prints a line of names, then the model's predictions for each row. */
#include <inttypes.h>
#include <manygate/manygate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMaxLine = 1 << 16 };

static int Fail(const char* what) {
  fprintf(stderr, "scores: %s\n", what);
  return 1;
}

/* Cuts the line at tabs, in place. Returns the number of parts, of which `parts` gets the first `most`. */
static size_t Split(char* line, char** parts, size_t most) {
  size_t count = 0;
  line[strcspn(line, "\r\n")] = '\0';
  for (char* at = line; at != NULL; ++count) {
    char* const tab = strchr(at, '\t');
    if (tab != NULL) *tab = '\0';
    if (count < most) parts[count] = at;
    at = tab == NULL ? NULL : tab + 1;
  }
  return count;
}

static int IsWanted(const char* output) { return strncmp(output, "logits_", 7) != 0; }

static void PrintNames(const manygate_predictor* model) {
  const char* separator = "";
  for (size_t i = 0; i < manygate_num_outputs(model); ++i) {
    const manygate_output output = manygate_get_output(model, i);
    for (int64_t k = 0; IsWanted(output.name) && k < output.width; ++k) {
      const char* class_name = manygate_class_name(model, i, (size_t)k);
      printf("%s%s%s%s", separator, output.name, class_name == NULL ? "" : "_", class_name == NULL ? "" : class_name);
      separator = "\t";
    }
  }
  printf("\n");
}

static void PrintScores(const manygate_predictor* model, float* const* outputs) {
  const char* separator = "";
  for (size_t i = 0; i < manygate_num_outputs(model); ++i)
    for (int64_t k = 0; outputs[i] != NULL && k < manygate_get_output(model, i).width; ++k) {
      printf("%s%.9g", separator, (double)outputs[i][k]); /* nine digits give the float back */
      separator = "\t";
    }
  printf("\n");
}

/* Scores the rows behind the line of names. */
static int ScoreRows(const manygate_predictor* model, char* line, float* const* outputs) {
  const size_t num_inputs = manygate_num_inputs(model);
  char** const parts = malloc(kMaxLine * sizeof(char*));
  int64_t* const places = malloc(kMaxLine * sizeof(int64_t)); /* by column of the file: which input it is */
  const char** const row = calloc(num_inputs, sizeof(char*));
  if (parts == NULL || places == NULL || row == NULL) return Fail("out of memory");
  const size_t num_columns = Split(line, parts, kMaxLine);
  for (size_t c = 0; c < num_columns; ++c) places[c] = manygate_find_input(model, parts[c]);
  while (fgets(line, kMaxLine, stdin) != NULL) {
    if (Split(line, parts, kMaxLine) != num_columns)
      return Fail("a row has another number of values than the first line");
    for (size_t c = 0; c < num_columns; ++c)
      if (places[c] >= 0) row[places[c]] = parts[c];
    if (manygate_predict_strings(model, 1, row, outputs) != MANYGATE_OK) return Fail(manygate_last_error());
    PrintScores(model, outputs);
  }
  free(parts);
  free(places);
  free((void*)row);
  return 0;
}

int main(int argc, char** argv) {
  static char line[kMaxLine];
  manygate_predictor* model = NULL;
  if (argc != 2) return Fail("usage: scores MODEL_DIR < rows.tsv");
  if (manygate_load(argv[1], &model) != MANYGATE_OK) return Fail(manygate_last_error());
  fprintf(stderr, "%s of libmanygate %s, %zu inputs\n", manygate_model_name(model), manygate_version(),
          manygate_num_inputs(model));
  float** const outputs = calloc(manygate_num_outputs(model), sizeof(float*));
  if (outputs == NULL) return Fail("out of memory");
  for (size_t i = 0; i < manygate_num_outputs(model); ++i) {
    const manygate_output output = manygate_get_output(model, i);
    if (!IsWanted(output.name)) continue; /* stays NULL */
    outputs[i] = malloc((size_t)output.width * sizeof(float));
    if (outputs[i] == NULL) return Fail("out of memory");
  }
  PrintNames(model);
  const int failed = fgets(line, kMaxLine, stdin) == NULL ? Fail("no line of names") : ScoreRows(model, line, outputs);
  for (size_t i = 0; i < manygate_num_outputs(model); ++i) free(outputs[i]);
  free(outputs);
  manygate_free(model);
  return failed;
}
