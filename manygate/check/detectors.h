// SPDX-License-Identifier: Apache-2.0
// The checks, each by itself: what it finds in the rows, with its limits and their reasons. check.cc runs them all.
//
//   std::vector<Finding> findings = FindLeaks(rows);
#ifndef MANYGATE_CHECK_DETECTORS_H_
#define MANYGATE_CHECK_DETECTORS_H_

#include <set>
#include <string>
#include <vector>

#include "manygate/check/check.h"
#include "manygate/check/checked_rows.h"

namespace manygate::check {

// Features and labels (leaks.cc)
// A feature reads the column of a label that no tower predicts: warning. (ValidatePipeline refuses the other labels.)
std::vector<Finding> FindSpareLabels(const CheckedRows& rows);
// A feature gives a label away, over a sample of 50,000 training rows: error. Binary: AUC above 0.999 (or below 0.001)
// by the number itself (10 rows of each class at least), or by the mean label of its value, learnt on one half of the
// sample and tested on the other (25 rows of each class in each half, 5 where there are at most 10 values; 5 rows a
// value); or it is filled in only where the label is 1 (TellsOutcome). Classes: the most frequent class of its value,
// likewise, is right in over 99.9 % where guessing is right in less than 99 %. Numbers: the feature is the label times
// a constant in over 99.9 % of the rows, or orders them as the label does (rank correlation beyond 0.999), or tells
// where the label is 0, as if that were a binary label.
std::vector<Finding> FindLeaks(const CheckedRows& rows);

// Labels (label_checks.cc)
// What features::FitLabel refuses (other values than 0 and 1, one class, no value), and a number that never varies:
// errors. A class without a training row, less than 10 rows of a class, over 99 % of the rows without the label:
// warnings.
std::vector<Finding> FindLabelFaults(const CheckedRows& rows);
// Evaluation rows: labels that cannot be read, or of one class only because they are written in another way: error; one
// class only otherwise: warning.
std::vector<Finding> FindEvaluationLabelFaults(const CheckedRows& rows);
// Rows where a later step is 1 and an earlier one is 0. Funnel models (esmm, escm2, aitm): error where they are over 5
// % of the later step's positives, else warning. Other models: warning, where the labels' names are steps (FunnelStep).
std::vector<Finding> FindBrokenOrder(const CheckedRows& rows);
// The label of a binary task depends on the place in the file (order_checks.cc), of 1,000 rows or more: all rows of one
// class before all of the other; or, where held-out rows are drawn from the same file, the odds of the first and the
// last tenth differ by a factor of 3 and by 6 deviations: warnings.
std::vector<Finding> FindOrderedLabels(const CheckedRows& rows);

// Columns by themselves (column_checks.cc), over the training rows: warnings but for texts
// A raw_feature's texts that are no numbers, blanks around them aside, in either file: error.
std::vector<Finding> FindTextsInNumbers(const CheckedRows& rows);
// One value in all training rows, none of them missing.
std::vector<Finding> FindConstants(const CheckedRows& rows);
// Over 99 % of the values missing.
std::vector<Finding> FindMostlyMissing(const CheckedRows& rows);
// A feature that LearnsEveryValue: over 100 values, more than half as many as the rows. found: gets their names.
std::vector<Finding> FindDistinctIds(const CheckedRows& rows, std::set<std::string>* found);
// A feature that is a row weight by its configuration, or by its name ("instance_weight", "fnlwgt", ...). A row weight
// that training refuses, or that is 0 in every row: error.
std::vector<Finding> FindWeights(const CheckedRows& rows);
// A raw_feature of over 10 distinct whole numbers whose name says id ("user_id", "itemId", "zip_code"); or of whole
// numbers that only grow, or only fall, over more than 100 rows.
std::vector<Finding> FindNumberedIds(const CheckedRows& rows);
// A raw_feature without log1p, both clips, bins or pieces whose largest value is over 1e6 times the median of those
// that are not 0 (standardised, all others are next to equal: floats carry 7 digits); or without standardise too, whose
// median is over 1e6.
std::vector<Finding> FindExplodingRanges(const CheckedRows& rows);

// Values that mean "missing" (missing_checks.cc): warnings
// A column of ids with two ways at least to say so: texts like "?", "NA", "unknown", or missing values. One way alone
// is a value like others.
std::vector<Finding> FindMissingMarkers(const CheckedRows& rows);
// A raw_feature of more than 10 values where -1 (beside no other negative number) or nines (999, -9999, beyond the
// other values by more than their range) are in 0.5 % of the rows or more, and no feature of the column is cut into
// pieces.
std::vector<Finding> FindMarkerNumbers(const CheckedRows& rows);

// What the configuration makes of columns (configured_checks.cc): warnings
// Over 5 % of the training rows beyond vocab_list or num_buckets; all of them: error.
std::vector<Finding> FindUncoveredValues(const CheckedRows& rows);
// Four values or more for each of hash_bucket_size.
std::vector<Finding> FindCrowdedBuckets(const CheckedRows& rows);
// Boundaries or clips that make over 99 % of the rows one number, which were not before.
std::vector<Finding> FindFlattenedNumbers(const CheckedRows& rows);
// An id_feature of texts that are dates (IsDateText), in 90 % or more of its values.
std::vector<Finding> FindDateIds(const CheckedRows& rows);
// Two columns that are equal in all of 500 training rows or more.
std::vector<Finding> FindEqualColumns(const CheckedRows& rows);

// Texts (text_checks.cc), over all rows that were read: warnings but for blanks around numbers
// Blanks around values, which trim_blanks: false leaves, or quotes: all columns in one finding; an error where they are
// numbers.
std::vector<Finding> FindStrayBlanks(const CheckedRows& rows);
// Values of two letters or more, of a column with at most 1,000, that differ only by case, by blanks within, or by
// ".0".
std::vector<Finding> FindSpellings(const CheckedRows& rows);

// Columns with the values of others (shift_checks.cc): errors. Two columns or more whose values are at most 10 % their
// own (those of the training file, or of its first tenth) but at least 90 % those of the neighbour on the left or
// right, or of a column that holds theirs.
std::vector<Finding> FindShiftedColumns(const CheckedRows& rows);  // of the evaluation file
std::vector<Finding> FindShiftedRows(const CheckedRows& rows);     // of the last tenth of the training file

// Training against evaluation rows (evaluation_checks.cc): warnings
// A feature that LearnsEveryValue: over 5 % of the evaluation rows that have a value, and at least 5, have one that no
// training row has. skip: columns that another finding explains.
std::vector<Finding> FindUnseenValues(const CheckedRows& rows, const std::set<std::string>& skip);
// Of 50 evaluation rows or more: 30 % more are missing than of the training rows, or all have one value that less than
// 90 % of the training rows have.
std::vector<Finding> FindEvaluationGaps(const CheckedRows& rows);
// Numbers of 50 evaluation rows or more: over half lie beyond the training values on one side, or the median size is 30
// times larger or smaller (units differ by 60, 100 or 1,000).
std::vector<Finding> FindMovedNumbers(const CheckedRows& rows);
// The odds of a binary label differ by a factor of 3 and by 6 deviations between two files.
std::vector<Finding> FindLabelDrift(const CheckedRows& rows);

// Rows that are there twice (row_checks.cc)
// Evaluation rows that equal a training row in all features and labels: at least 10, over 1 % and over twice the share
// of training rows that equal another training row, plus 1 % (so many coincide by chance). Error from 50 % on, else
// warning.
std::vector<Finding> FindSharedRows(const CheckedRows& rows);
// The same for rows that are equal but for one column, or whose numbers agree in three digits, of samples of 20,000:
// warning.
std::vector<Finding> FindNearRows(const CheckedRows& rows);
// The training file holds 99 % of its rows (100 different ones at least) an even number of times, or a multiple of 3:
// error, or a warning where another file evaluates. Over 1 % of the rows equal exactly one other, where in most pairs
// of rows that share a number all else is equal too, ten times as often as in pairs taken at random: warning.
std::vector<Finding> FindRepeatedRows(const CheckedRows& rows);

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_DETECTORS_H_
