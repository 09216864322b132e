// SPDX-License-Identifier: Apache-2.0
// The checks, each by itself: what it finds in the rows, with its limits. check.cc runs them all.
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
// sample and tested on the other (25 rows of each class in each half; 5 where there are at most 10 values). Classes:
// the most frequent class of its value, likewise, is right in over 99.9 % where guessing is right in less than 99 %.
// Numbers: the feature is the label times a constant in over 99.9 % of the rows.
std::vector<Finding> FindLeaks(const CheckedRows& rows);

// Labels (label_checks.cc)
// What features::FitLabel refuses (other values than 0 and 1, one class, no value), and a number that never varies:
// errors. A class without a training row: warning.
std::vector<Finding> FindLabelFaults(const CheckedRows& rows);
// Evaluation rows: labels that cannot be read: error; one class only: warning.
std::vector<Finding> FindEvaluationLabelFaults(const CheckedRows& rows);
// Funnel models (esmm, escm2, aitm): rows where a later step is 1 and an earlier one is 0. Error where they are over
// 5 % of the later step's positives, else warning.
std::vector<Finding> FindBrokenOrder(const CheckedRows& rows);

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
// that training refuses: error.
std::vector<Finding> FindWeights(const CheckedRows& rows);
// A raw_feature of over 100 distinct whole numbers whose name says id ("user_id", "itemId", "zip_code"), or that counts
// the rows.
std::vector<Finding> FindNumberedIds(const CheckedRows& rows);
// A raw_feature without log1p, standardise, both clips, bins or pieces whose largest value is over 1e6 times the median
// of those that are not 0, or whose median is over 1e6.
std::vector<Finding> FindExplodingRanges(const CheckedRows& rows);

// Texts (text_checks.cc), over all rows that were read: warnings but for blanks around numbers
// Where trim_blanks is false: blanks around values, all columns in one finding; an error where they are numbers.
std::vector<Finding> FindStrayBlanks(const CheckedRows& rows);
// Values of two letters or more, of a column with at most 1,000, that differ only by case, by blanks within, or by
// ".0".
std::vector<Finding> FindSpellings(const CheckedRows& rows);

// Training against evaluation rows (evaluation_checks.cc)
// Two columns or more of the evaluation file whose values are at most 10 % those of the training file's column but at
// least 90 % those of its neighbour on the left or right: error.
std::vector<Finding> FindShiftedColumns(const CheckedRows& rows);
// A feature that LearnsEveryValue: over 5 % of the evaluation rows that have a value, and at least 5, have one that no
// training row has: warning. skip: columns that another finding explains.
std::vector<Finding> FindUnseenValues(const CheckedRows& rows, const std::set<std::string>& skip);
// Evaluation rows that equal a training row in all features and labels: at least 10, over 1 % and over twice the share
// of training rows that equal another training row, plus 1 % (so many coincide by chance). Error from 50 % on, else
// warning.
std::vector<Finding> FindSharedRows(const CheckedRows& rows);

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_DETECTORS_H_
