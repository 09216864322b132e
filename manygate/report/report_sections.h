// SPDX-License-Identifier: Apache-2.0
// The parts of report_page.h's page, a file each: headline (report_headline.cc), tasks (report_tasks.cc), gates,
// experts and transfer (report_sharing.cc), data, drawing and configuration (report_model.cc). A part without anything
// to show is left out, or says why.
#ifndef MANYGATE_REPORT_REPORT_SECTIONS_H_
#define MANYGATE_REPORT_REPORT_SECTIONS_H_

#include <string>
#include <vector>

#include "manygate/report/html.h"
#include "manygate/report/report_page.h"

namespace manygate {

std::string HeadlineHtml(const ReportData& data);               // alarms, tiles, all metrics
std::vector<HtmlSection> TaskSections(const ReportData& data);  // one per task
std::vector<HtmlSection> SharingSections(const ReportData& data);
std::vector<HtmlSection> ModelSections(const ReportData& data);

// An epoch or a step: "3", "2.5".
std::string FormatPlace(double at);
// "auc" -> "AUC", "log_loss" -> "log loss".
std::string MetricTitle(std::string_view metric);
// The last evaluation of the training whose line has a health report; null when there is none.
const HealthReport* LastHealth(const ReportData& data);
// "0.9440–0.9506", with the same decimals; "" for NaN.
std::string FormatInterval(double low, double high);

}  // namespace manygate

#endif  // MANYGATE_REPORT_REPORT_SECTIONS_H_
